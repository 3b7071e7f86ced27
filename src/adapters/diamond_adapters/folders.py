"""Folders of files, on this machine or in an object store: listed, read, and written as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from diamond_adapters.whole_files import drafted, sync_folder
from diamond_core import Unavailable

_MAGIC: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file in a folder.

    Attributes:
        name: its path in the folder, with '/'.
        version: changes when the file changes.
    """

    name: str
    size: int
    version: str


class Folder(Protocol):
    """A folder of files. Every method raises ``Unavailable`` if it can't be reached."""

    url: str
    """Where it is, for users."""

    def files(self, pattern: str) -> Sequence[FileEntry]:
        """Return the files that *pattern* names, in the order of their names.

        It is a path with ``*``, ``?`` and ``[...]`` in each of its parts; ``**/`` at its beginning
        stands for any folders. Names that begin with ``_`` or ``.`` are skipped.
        """
        ...

    def fetch(self, name: str, into: Path) -> Path:
        """Return the path of a local file with the content of the file *name*.

        That is the file itself, or a copy in the folder *into*.
        """
        ...

    def store(self, name: str, path: Path) -> None:
        """Store a local file as the file *name*, as a whole; a present one is replaced."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return the content of a small file, or None if it is absent."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Store a small file as a whole; a present one is replaced."""
        ...


def has_pattern(text: str) -> bool:
    """Return whether *text* is a pattern and not a name."""
    return not _MAGIC.isdisjoint(text)


def split_pattern(text: str) -> tuple[str, str]:
    """Return the folder that *text* begins with, and the pattern that follows; '' if there is none.

    ``s3://bucket/offers/*.parquet`` is ``s3://bucket/offers`` and ``*.parquet``.
    """
    parts = text.split("/")
    first = next((at for at, part in enumerate(parts) if has_pattern(part)), len(parts) - 1)
    return "/".join(parts[:first]) or ("/" if text.startswith("/") else "."), "/".join(
        parts[first:]
    )


def matches(name: str, pattern: str) -> bool:
    """Return whether a file is one that *pattern* names, see ``Folder.files``."""
    path = PurePosixPath(name)
    if any(part.startswith(("_", ".")) for part in path.parts):
        return False
    if pattern.startswith("**/"):
        return path.match(pattern.removeprefix("**/"))
    return len(path.parts) == len(PurePosixPath(pattern).parts) and path.match(pattern)


class LocalFolder:
    """A ``Folder`` on this machine."""

    def __init__(self, path: Path) -> None:
        self.url = str(path)
        self._path = path

    def files(self, pattern: str) -> Sequence[FileEntry]:
        found = []
        try:
            for path in self._path.rglob("*") if "/" in pattern else self._path.glob("*"):
                name = path.relative_to(self._path).as_posix()
                if matches(name, pattern) and path.is_file():
                    facts = path.stat()
                    version = f"{facts.st_mtime_ns}-{facts.st_size}"
                    found.append(FileEntry(name, facts.st_size, version))
        except OSError as ex:
            raise Unavailable(f"{self.url} can't be read: {ex.strerror or ex}") from ex
        return sorted(found, key=lambda each: each.name)

    def fetch(self, name: str, into: Path) -> Path:
        return self._path / name

    def store(self, name: str, path: Path) -> None:
        target = self._path / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with drafted(target.parent) as draft:
                shutil.copyfile(path, draft)
                draft.replace(target)
            sync_folder(target.parent)
        except OSError as ex:
            raise Unavailable(f"{target} can't be written: {ex.strerror or ex}") from ex

    def read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            try:
                return (self._path / name).read_bytes()
            except OSError as ex:
                if isinstance(ex, FileNotFoundError):
                    raise
                raise Unavailable(f"{self._path / name} can't be read: {ex.strerror}") from ex
        return None

    def write(self, name: str, data: bytes) -> None:
        target = self._path / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with drafted(target.parent) as draft:
                draft.write_bytes(data)
                draft.replace(target)
        except OSError as ex:
            raise Unavailable(f"{target} can't be written: {ex.strerror or ex}") from ex
