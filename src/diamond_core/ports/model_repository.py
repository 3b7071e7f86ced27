"""The storage of models and promotions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from diamond_core.models.model_card import ModelId


class ModelRepository(Protocol):
    """Stores models' files and numbered promotions, as bytes. Threads and processes can share it.

    A shared file belongs to several models and is stored once, under the SHA-256 of its content.

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

    def size(self, id: ModelId) -> int:
        """Return the bytes of the model's files together, without shared ones; 0 if it is absent."""
        ...

    def remove(self, id: ModelId) -> None:
        """Remove a model with all its files at once; an absent one is no error.

        Readers find the whole model or nothing of it. Buffers that were read before stay valid.
        Shared files stay.
        """
        ...

    def share(self, digest: str, data: bytes) -> None:
        """Store *data* durably under its SHA-256 in hexadecimal digits, completely or not at all.

        A stored file is kept if it is equal, else it is damaged and replaced at once for readers.
        """
        ...

    def read_shared(self, digest: str) -> memoryview | None:
        """Return the current bytes of a shared file, like ``read``, or None if it is absent."""
        ...

    def shared(self) -> Mapping[str, int]:
        """Return the digest and the stored bytes of each shared file."""
        ...

    def remove_shared(self, digest: str) -> None:
        """Remove a shared file; an absent one is no error. Buffers read before stay valid."""
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
