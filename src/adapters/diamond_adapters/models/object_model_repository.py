"""Models in an object store.

<url>/models/<id>.json                   the manifest: what files the model has; it makes the model appear
<url>/files/<id>/<random>/model.onnx     a file, never changed
<url>/samples/<sha256>.npy
<url>/promotions/000017.json
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Self

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from diamond_adapters.models.names import is_promotion, is_shared, promotion_name, shared_name
from diamond_adapters.object_store import open_store, store_errors
from diamond_core import (
    Conflict,
    InvalidModelId,
    ModelExists,
    ModelFileNotFound,
    ModelId,
    Unavailable,
    decode,
    encode,
)

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_OLD: Final = timedelta(days=1)
_LAST_OF_SIX_DIGITS: Final = 999_999
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class _Manifest:
    """The sizes of a model's files, and the folder that has them."""

    folder: str
    sizes: Mapping[str, int]
    schema: int = 1


class ObjectModelRepository:
    """A ``ModelRepository`` in an object store, shared by any number of hosts.

    Files are stored first, under a random name, and then the manifest, which must not exist yet: so
    a model is there as a whole or not at all, and so is a promotion. That, and no lock, decides
    who was first.
    """

    def __init__(self, store: ObjectStore, url: str) -> None:
        self._store = store
        self._url = url.rstrip("/")

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the repository at ``s3://bucket/prefix``, see ``open_store``.

        Raises:
            InvalidUrl: it can't be used.
        """
        return cls(open_store(url), url)

    def add(self, id: ModelId, files: Mapping[str, bytes]) -> None:
        folder = f"files/{id}/{secrets.token_hex(8)}"
        manifest = _Manifest(folder, {name: len(data) for name, data in files.items()})
        if self._manifest(id) is not None:
            raise ModelExists(id)
        with _storing(f"the model {id}", self._url):
            for name, data in files.items():
                obstore.put(self._store, f"{folder}/{name}", data)
        if not self._create(_manifest_path(id), encode(manifest)):
            self._delete(f"{folder}/{name}" for name in files)
            raise ModelExists(id)
        with suppress(Unavailable):  # the model is there; the next one that is added tries again
            self._discard_old_drafts()

    def ids(self) -> Sequence[ModelId]:
        ids = []
        for name, _ in self._listed("models", "the models"):
            with suppress(InvalidModelId):
                if name.endswith(".json"):
                    ids.append(ModelId(name.removesuffix(".json")))
        return ids

    def read(self, id: ModelId, name: str) -> memoryview:
        manifest = self._manifest(id)
        data = None
        if manifest is not None and name in manifest.sizes:
            data = self._get(f"{manifest.folder}/{name}")
        if data is None:
            raise ModelFileNotFound(id, name)
        return data

    def size(self, id: ModelId) -> int:
        manifest = self._manifest(id)
        return 0 if manifest is None else sum(manifest.sizes.values())

    def remove(self, id: ModelId) -> None:
        manifest = self._manifest(id)
        if manifest is not None:
            self._delete([_manifest_path(id)])  # from here on nobody finds the model
            self._delete(f"{manifest.folder}/{name}" for name in manifest.sizes)

    def share(self, digest: str, data: bytes) -> None:
        with _storing(f"the shared file {digest}", self._url):
            obstore.put(self._store, _shared_path(digest), data)

    def read_shared(self, digest: str) -> memoryview | None:
        return self._get(_shared_path(digest))

    def shared(self) -> Mapping[str, int]:
        listed = self._listed("samples", "the samples")
        return {name.removesuffix(".npy"): size for name, size in listed if is_shared(name)}

    def remove_shared(self, digest: str) -> None:
        self._delete([_shared_path(digest)])

    def location(self, id: ModelId, name: str) -> str:
        with suppress(Unavailable):
            manifest = self._manifest(id)
            if manifest is not None:
                return f"{self._url}/{manifest.folder}/{name}"
        return f"{self._url}/{_manifest_path(id)}"

    def promote(self, number: int, record: bytes) -> None:
        if not self._create(_promotion_path(number), record):
            raise Conflict(f"promotion {number} already exists")

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        # names of more than six digits sort before those of six: then all are listed
        offset = _promotion_path(after) if 0 < after < _LAST_OF_SIX_DIGITS else None
        names = (name for name, _ in self._listed("promotions", "the promotions", offset))
        numbers = sorted(int(name[:-5]) for name in names if is_promotion(name))
        numbers = [number for number in numbers if number > after]
        if len(numbers) <= 1:
            return [(number, self._record(number)) for number in numbers]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(zip(numbers, pool.map(self._record, numbers), strict=True))

    def _record(self, number: int) -> bytes:
        return bytes(self._get(_promotion_path(number)) or b"")

    def _manifest(self, id: ModelId) -> _Manifest | None:
        data = self._get(_manifest_path(id))
        if data is None:
            return None
        try:
            return decode(_Manifest, bytes(data))
        except ValueError:  # damaged: the model is there, without files
            return _Manifest("", {})

    def _get(self, path: str) -> memoryview | None:
        """Return the bytes of an object, or None if it is absent."""
        with store_errors(f"{self._url}/{path} can't be read"):
            try:
                return memoryview(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    def _create(self, path: str, data: bytes) -> bool:
        """Store an object unless it exists; return whether it is stored now, by this call.

        The answer to a request can be lost and the request repeated: what is there then is equal.
        """
        with _storing(path, self._url):
            try:
                obstore.put(self._store, path, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return bytes(self._get(path) or b"") == data
            return True

    def _listed(self, folder: str, what: str, offset: str | None = None) -> list[tuple[str, int]]:
        """Return the names and sizes of the objects directly in a folder."""
        with store_errors(f"{what} in {self._url} can't be listed"):
            return [
                (path.name, each["size"])
                for chunk in obstore.list(self._store, folder, offset=offset)
                for each in chunk
                if (path := PurePosixPath(each["path"])).parent.name == folder
            ]

    def _delete(self, paths: Sequence[str] | Iterator[str]) -> None:
        with store_errors(f"files in {self._url} can't be removed"):
            for path in paths:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, path)

    def _discard_old_drafts(self) -> None:
        """Remove the files of models whose publication was not finished within a day."""
        known, before = set(self.ids()), datetime.now(UTC) - _OLD
        with store_errors(f"the files in {self._url} can't be listed"):
            old = [
                each["path"]
                for chunk in obstore.list(self._store, "files")
                for each in chunk
                if each["last_modified"] < before
                and PurePosixPath(each["path"]).parts[1] not in known
            ]
        self._delete(old)


def _storing(what: str, url: str) -> AbstractContextManager[None]:
    return store_errors(f"{what} could not be stored in {url}")


def _manifest_path(id: ModelId) -> str:
    return f"models/{id}.json"


def _shared_path(digest: str) -> str:
    return f"samples/{shared_name(digest)}"


def _promotion_path(number: int) -> str:
    return f"promotions/{promotion_name(number)}"
