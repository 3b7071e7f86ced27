"""Every model family that an installed package offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diamond_adapters.installed import FAMILIES, find, why_not_loaded
from diamond_core import FamilyFailed, ModelFamily, UnknownFamily


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
            raise FamilyFailed(name, why_not_loaded(ex)) from ex
        return family

    def __iter__(self) -> Iterator[str]:
        return iter(self._entry_points)

    def __len__(self) -> int:
        return len(self._entry_points)

    def __contains__(self, name: object) -> bool:
        return name in self._entry_points
