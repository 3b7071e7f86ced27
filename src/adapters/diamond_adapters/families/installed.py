"""The door for model families: every one that an installed package offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from diamond_core.errors import FamilyFailed, UnknownFamily
from diamond_core.ports import ModelFamily, TunableFamily

GROUP: Final = "diamond_core.families"


class InstalledFamilies(Mapping[str, ModelFamily]):
    """The families by name. A package offers one by an entry point in ``diamond_core.families``.

    A family is imported when it is asked for, not before: listing the names costs nothing.
    With *study*, the URL of a storage, families that can keep their searches there do.
    """

    def __init__(self, study: str | None = None) -> None:
        self._study = study
        self._entry_points: dict[str, EntryPoint] = {
            point.name: point for point in entry_points(group=GROUP)
        }

    def __getitem__(self, name: str) -> ModelFamily:
        if name not in self._entry_points:
            raise UnknownFamily(name, list(self))
        try:
            family: ModelFamily = self._entry_points[name].load()()
        except Exception as ex:  # whatever a plugin's import may raise
            raise FamilyFailed(name, f"it can't be loaded: {ex}") from ex
        if self._study is not None and isinstance(family, TunableFamily):
            return family.in_study(self._study)
        return family

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entry_points))

    def __len__(self) -> int:
        return len(self._entry_points)

    def __contains__(self, name: object) -> bool:
        return name in self._entry_points
