"""Every model family that an installed package offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from diamond_adapters.installed import FAMILIES, find, not_installed
from diamond_core import FamilyFailed, ModelFamily, UnknownFamily


def can_train() -> bool:
    """Return whether the extra ``train`` is installed, which the families of this package need."""
    return find_spec("sklearn") is not None


class InstalledFamilies(Mapping[str, ModelFamily]):
    """The families by name. A package registers one as an entry point in ``diamond_core.families``.

    A family is imported on access; listing the names imports nothing.
    """

    def __init__(self) -> None:
        self._entry_points = find(FAMILIES)

    def __getitem__(self, name: str) -> ModelFamily:
        if name not in self._entry_points:
            raise UnknownFamily(name, list(self))
        try:
            family: ModelFamily = self._entry_points[name].load()()
        except Exception as ex:  # a plugin's import can raise anything
            if isinstance(ex, ModuleNotFoundError) and not can_train():
                raise FamilyFailed(name, not_installed(ex)) from ex
            raise FamilyFailed(name, f"it can't be loaded: {ex}") from ex
        return family

    def __iter__(self) -> Iterator[str]:
        return iter(self._entry_points)

    def __len__(self) -> int:
        return len(self._entry_points)

    def __contains__(self, name: object) -> bool:
        return name in self._entry_points
