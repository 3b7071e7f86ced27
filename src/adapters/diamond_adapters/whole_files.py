"""Files that appear whole: they are written to a hidden draft, synced, and then renamed or linked."""

from __future__ import annotations

import mmap
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from diamond_adapters.private_files import create_file, create_folder

_DRAFT: Final = ".draft-"
_OLD_SECONDS: Final = 3600.0


@contextmanager
def drafted(folder: Path) -> Iterator[Path]:
    """Yield the path of a draft in *folder*; remove what is left of it at the end.

    Also remove the incomplete drafts of killed processes.
    """
    create_folder(folder)
    for old in folder.glob(f"{_DRAFT}*"):
        with suppress(OSError):  # for example, another process has just published it
            if old.stat().st_mtime < time.time() - _OLD_SECONDS:
                _discard(old)
    path = folder / f"{_DRAFT}{secrets.token_hex(8)}"
    try:
        yield path
    finally:
        _discard(path)


def _discard(draft: Path) -> None:
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


def mapped(path: Path) -> memoryview | None:
    """Return the memory-mapped bytes of a file, or None if it is absent.

    Raises:
        OSError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (FileNotFoundError, IsADirectoryError):
        return None


def write_synced(path: Path, data: bytes | memoryview) -> None:
    """Write the file to the disk itself, for this user only."""
    create_file(path)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Write the file as a whole, its folder too: a reader sees the old or the new content.

    Raises:
        OSError: it can't be written; the old one stays.
    """
    with drafted(path.parent) as draft:
        write_synced(draft, data)
        draft.replace(path)


def sync_folder(path: Path) -> None:
    """Write to the disk itself which files are in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
