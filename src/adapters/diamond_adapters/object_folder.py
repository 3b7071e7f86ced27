"""A folder of files in an object store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

import obstore

from diamond_adapters.folders import FileEntry, matches
from diamond_adapters.object_store import open_store, store_errors
from diamond_core import Unavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class ObjectFolder:
    """A ``Folder`` in an object store."""

    def __init__(self, store: ObjectStore, url: str) -> None:
        self.url = url.rstrip("/")
        self._store = store

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the folder at ``s3://bucket/folder``, see ``open_store``.

        Raises:
            InvalidUrl: it can't be used.
        """
        return cls(open_store(url), url)

    def files(self, pattern: str) -> Sequence[FileEntry]:
        with store_errors(f"{self.url} can't be listed"):
            found = [
                FileEntry(each["path"], each["size"], each["e_tag"] or str(each["last_modified"]))
                for chunk in obstore.list(self._store)
                for each in chunk
                if matches(each["path"], pattern)
            ]
        return sorted(found, key=lambda each: each.name)

    def fetch(self, name: str, into: Path) -> Path:
        path = into / PurePosixPath(name).name
        what = f"{self.url}/{name} can't be read"
        try:
            with store_errors(what), path.open("wb") as file:
                for chunk in obstore.get(self._store, name):
                    file.write(chunk)
        except FileNotFoundError as ex:
            raise Unavailable(f"{what}: it was removed") from ex
        return path

    def store(self, name: str, path: Path) -> None:
        with store_errors(f"{self.url}/{name} can't be written"):
            obstore.put(self._store, name, path)

    def read(self, name: str) -> bytes | None:
        with store_errors(f"{self.url}/{name} can't be read"):
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        with store_errors(f"{self.url}/{name} can't be written"):
            obstore.put(self._store, name, data)
