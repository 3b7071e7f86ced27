"""A repository of models with copies on this host, for a store that is slow or can be away.

The copies lie as in ``FilesystemModelRepository``; those of models and samples that were not used
for a week are removed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from diamond_adapters.models.names import promotion_name, shared_name
from diamond_adapters.whole_files import mapped, replace_file
from diamond_core import (
    CARD_FILE,
    ModelCard,
    ModelFileNotFound,
    ModelId,
    ModelRepository,
    Unavailable,
    decode,
)

_UNUSED_SECONDS: Final = 7 * 86400.0
Data = TypeVar("Data", bound=memoryview | None)

_log = logging.getLogger(__name__)


class CachedModelRepository:
    """A ``ModelRepository`` that keeps copies of what it reads from another one.

    A file is read once from the store, and then from this host's disk, memory-mapped, if it is still
    the one that the model's card names. While the store is away, the promotions and cards that were
    read before stay readable, so that a service can start. Only the store says which models there
    are, and only the store takes changes.
    """

    def __init__(self, repository: ModelRepository, folder: Path) -> None:
        self._repository = repository
        self._models = folder / "models"
        self._samples = folder / "samples"
        self._promotions = folder / "promotions"
        self.add = repository.add
        self.ids = repository.ids
        self.size = repository.size
        self.share = repository.share
        self.shared = repository.shared
        self.location = repository.location
        self.promote = repository.promote

    def read(self, id: ModelId, name: str) -> memoryview:
        if name == CARD_FILE:
            return self._card(id)
        digest = None
        with suppress(ModelFileNotFound, ValueError):
            digest = decode(ModelCard, bytes(self._card(id))).files.get(name)
        if digest is None:
            return self._repository.read(id, name)
        path = self._models / id / name
        return self._copied(path, digest, lambda: self._repository.read(id, name))

    def read_shared(self, digest: str) -> memoryview | None:
        path = self._shared_file(digest)
        return self._copied(path, digest, lambda: self._repository.read_shared(digest))

    def remove(self, id: ModelId) -> None:
        self._repository.remove(id)
        shutil.rmtree(self._models / id, ignore_errors=True)

    def remove_shared(self, digest: str) -> None:
        self._repository.remove_shared(digest)
        with suppress(OSError):
            self._shared_file(digest).unlink()

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        try:
            found = self._repository.promotions(after)
        except Unavailable:
            copies = [] if after else self._copied_promotions()
            if not copies:
                raise
            _log.warning("the store of models is away: the promotions are this host's copies")
            return copies
        for number, record in found:
            path = self._promotions / promotion_name(number)
            if record and not path.exists():
                _keep(path, record)
        return found

    def _copied_promotions(self) -> list[tuple[int, bytes]]:
        with suppress(OSError, ValueError):
            paths = self._promotions.glob("[0-9]*.json")
            return sorted((int(path.stem), path.read_bytes()) for path in paths)
        return []

    def _card(self, id: ModelId) -> memoryview:
        """Return the card in the store, or its copy if the store is away or the card damaged."""
        path = self._models / id / CARD_FILE
        problem: Exception | None = None
        data = None
        try:
            data = self._repository.read(id, CARD_FILE)
        except Unavailable as ex:
            problem = ex
        except ModelFileNotFound as ex:
            problem = ex
            if id not in self._repository.ids():  # else only its file is missing
                raise
        if data is not None and _is_card(data, id):
            if _content(path) != data:
                _keep(path, data)
            return data
        copy = _content(path)
        if copy is not None and _is_card(copy, id):
            _log.warning("the card of %s is this host's copy: %s", id, problem or "it is damaged")
            return copy
        if data is None:
            assert problem is not None  # noqa: S101  # there is no other reason
            raise problem
        return data

    def _copied(self, path: Path, digest: str, read: Callable[[], Data]) -> memoryview | Data:
        """Return the copy of a file, or else what *read* returns, which is copied if it is right."""
        copy = _content(path)
        if copy is not None and _digest(copy) == digest:
            with suppress(OSError):
                os.utime(path)
            return copy
        data = read()
        if data is None or _digest(data) != digest or not _keep(path, data):
            return data
        for folder in (self._models, self._samples):
            _remove_unused(folder)
        return _content(path) or data

    def _shared_file(self, digest: str) -> Path:
        return self._samples / shared_name(digest)


def _is_card(data: memoryview, id: ModelId) -> bool:
    with suppress(ValueError):
        return decode(ModelCard, bytes(data)).id == id
    return False


def _content(path: Path) -> memoryview | None:
    with suppress(OSError):
        return mapped(path)
    return None


def _keep(path: Path, data: bytes | memoryview) -> bool:
    """Write a copy; without one, the store is read again."""
    try:
        replace_file(path, data)
    except OSError as ex:
        _log.warning("no copy of %s is kept: %s", path.name, ex.strerror or ex)
        return False
    return True


def _remove_unused(folder: Path) -> None:
    """Remove the copies that were not used for a week; cards stay, they are small."""
    with suppress(OSError):
        for path in folder.rglob("*.*"):
            is_old = path.stat().st_mtime < time.time() - _UNUSED_SECONDS
            if is_old and path.name != CARD_FILE and path.is_file():
                path.unlink()


def _digest(data: memoryview) -> str:
    return hashlib.sha256(data).hexdigest()
