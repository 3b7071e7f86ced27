"""The storage of models and promotions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from diamond_core.models.model_card import ModelId


class ModelRepository(Protocol):
    """Stores models' files and numbered promotions, as bytes. Threads and processes can share it.

    It does not interpret the bytes: ``ModelHistory`` reads cards, detects damage and finds the
    champion. Every method raises ``Unavailable`` if the store can't be reached; a retry can help.
    """

    def add(self, id: ModelId, files: Mapping[str, bytes]) -> None:
        """Store a model's files durably, completely or not at all.

        Raises:
            ModelExists: the id is already used; nothing was changed.
        """
        ...

    def ids(self) -> Sequence[ModelId]:
        """Return the ids of all models, in any order; entries without a valid id are skipped."""
        ...

    def read(self, id: ModelId, name: str) -> memoryview:
        """Return the current bytes of a model's file, read-only; memory-mapped if it is on a disk.

        Raises:
            ModelFileNotFound: the model does not exist, or it has no such file.
        """
        ...

    def location(self, id: ModelId, name: str) -> str:
        """Return where the model's file is, for users: a path or a URL. It may not exist."""
        ...

    def promote(self, number: int, record: bytes) -> None:
        """Store *record* as the promotion *number*, completely or not at all; the first one wins.

        Raises:
            Conflict: the promotion already exists; nothing was changed.
        """
        ...

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        """Return the promotions with numbers above *after*, lowest first. Fast if there is none.

        One that can't be read is returned as ``b""``: its number stays used, and it hides no other.
        Promotions are never removed, so a follower only checks for higher numbers.
        """
        ...
