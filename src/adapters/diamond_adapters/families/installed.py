"""Every model family that an installed package offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diamond_adapters.installed import FAMILIES, find, why_not_loaded
from diamond_core import FamilyFailed, ModelFamily, UnknownFamily


class InstalledFamilies(Mapping[str, ModelFamily]):
    """The families by name. A package registers one as an entry point in ``diamond_core.families``.

    A family is imported on access; listing the names imports nothing.

    Args:
        options: by the name of a family, the arguments of its class; the others have none.
    """

    def __init__(self, options: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._entry_points = find(FAMILIES)
        self._options = options or {}

    def __getitem__(self, name: str) -> ModelFamily:
        if name not in self._entry_points:
            raise UnknownFamily(name, list(self))
        try:
            family: ModelFamily = self._entry_points[name].load()(**self._options.get(name, {}))
        except Exception as ex:  # a plugin's import can raise anything
            raise FamilyFailed(name, why_not_loaded(ex)) from ex
        return family

    def __iter__(self) -> Iterator[str]:
        return iter(self._entry_points)

    def __len__(self) -> int:
        return len(self._entry_points)

    def __contains__(self, name: object) -> bool:
        return name in self._entry_points
