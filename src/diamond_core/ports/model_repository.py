"""Where models and promotions are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from diamond_core.models.model_card import ModelId


class ModelRepository(Protocol):
    """Keeps named bytes of models, and numbered promotions. Threads and processes may share it.

    It does not look into what it keeps: ``ModelHistory`` knows what a card is, when a file is
    damaged and which model serves. Every method raises ``Unavailable`` where the store can't be
    reached; trying again may help.
    """

    def add(self, id: ModelId, files: Mapping[str, bytes]) -> None:
        """Keep a model's files for good, whole or not at all.

        Raises:
            ModelExists: the id is taken; nothing was changed.
        """
        ...

    def ids(self) -> Sequence[ModelId]:
        """Return the ids of all models, in any order; what has no name of a model is passed over."""
        ...

    def read(self, id: ModelId, name: str) -> memoryview:
        """Return what a model's file holds now, read-only; memory-mapped where it lies on a disk.

        Raises:
            ModelFileNotFound: there is no such model, or it has no such file.
        """
        ...

    def location(self, id: ModelId, name: str) -> str:
        """Return where the model's file is, for people: a path or an address. It need not exist."""
        ...

    def promote(self, number: int, record: bytes) -> None:
        """Keep *record* as the promotion *number*, whole or not at all; the first one wins.

        Raises:
            Conflict: there is a promotion of this number; nothing was changed.
        """
        ...

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        """Return the promotions of numbers above *after*, the lowest first. Cheap where none is.

        One that can't be read is given as ``b""``: its number stays taken, and it hides no other.
        Promotions are never removed: who follows them looks for higher numbers only.
        """
        ...
