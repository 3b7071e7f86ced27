"""One file of the journal.

It starts with a header: ``_MAGIC``, the seed of its checksums and how far it is shipped. Whoever
holds its lock (``flock``) may write to it, move its mark and remove it; the lock ends with the process,
so a file that can be locked belongs to nobody who lives. Reading needs no lock.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Final, Self

from diamond_core.requests.exchange import new_exchange_id

SUFFIX: Final = ".log"
_DRAFT: Final = ".draft"
_DRAFT_SECONDS: Final = 60.0  # one that was made just now may not be locked yet
_MAGIC: Final = b"DCJRNL1\n"
_HEADER: Final = struct.Struct("<8sI4xQ")
_SHIPPED_AT: Final = 16
FIRST: Final = 64
"""Where the first entry starts; what is between is kept for later."""


class NoSegment(Exception):
    """The file is gone, is no journal file, or its owner lives."""


class Segment:
    """One open journal file.

    Attributes:
        path: where it is.
        seed: what its checksums start from.
        end: where the entries that count end; bytes after it are no whole entry.
        shipped: the entries up to here are in the database.
        born: when this process opened it, on the monotonic clock.
    """

    def __init__(self, path: Path, file: int, seed: int, shipped: int, end: int) -> None:
        self.path = path
        self.seed = seed
        self.shipped = shipped
        self.end = end
        self.born = time.monotonic()
        self._file = file
        self._sync_lock = threading.Lock()
        self._synced = 0

    @classmethod
    def create(cls, folder: Path, seed: int, *, durable: bool) -> Self:
        """Make a new file and lock it; with *durable*, its name survives a power cut.

        Raises:
            OSError: it could not be made; nothing is left of it.
        """
        path = folder / f"{new_exchange_id()}{SUFFIX}"
        # Nobody adopts a draft, so that the lock is held before the name is seen.
        draft = path.with_suffix(_DRAFT)
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            header = _HEADER.pack(_MAGIC, seed, FIRST).ljust(FIRST, b"\0")
            _write(file, header, 0)
            if durable:
                os.fsync(file)
            draft.rename(path)
            if durable:
                sync_folder(folder)
        except BaseException:
            os.close(file)
            draft.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise
        return cls(path, file, seed, FIRST, FIRST)

    @classmethod
    def open(cls, path: Path, *, adopt: bool) -> Self:
        """Open a file that another process wrote; with *adopt*, take its lock.

        Raises:
            NoSegment: it is gone or no journal file, or, to adopt it, its owner lives.
        """
        try:
            file = os.open(path, os.O_RDWR if adopt else os.O_RDONLY)
        except OSError as ex:
            raise NoSegment from ex
        try:
            if adopt:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(file)
            magic, seed, shipped = _HEADER.unpack(os.pread(file, _HEADER.size, 0))
            if status.st_nlink == 0 or magic != _MAGIC:
                raise NoSegment
        except (OSError, struct.error, NoSegment) as ex:
            os.close(file)
            raise NoSegment from ex
        shipped = shipped if FIRST <= shipped <= status.st_size else FIRST
        return cls(path, file, seed, shipped, status.st_size)

    @property
    def file(self) -> int:
        """The file's descriptor, to read from."""
        return self._file

    def append(self, entry: bytes) -> int:
        """Write a whole entry, or nothing of it, and return where it ends.

        Raises:
            OSError: nothing was kept.
        """
        end = self.end
        try:
            _write(self._file, entry, end)
        except OSError:
            # Where this fails too, the next entry overwrites the rest, and no checksum fits it.
            _try_to_truncate(self._file, end)
            raise
        self.end = end + len(entry)
        return self.end

    def sync(self, end: int) -> None:
        """Return when the entries up to *end* survive a power cut; threads share one sync.

        Raises:
            OSError: they may not.
        """
        with self._sync_lock:
            if self._synced < end:
                reached = self.end
                (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(self._file)
                self._synced = reached

    def mark_shipped(self, shipped: int) -> None:
        """Note that the entries up to here are in the database.

        The mark is no promise: where it is lost, entries are shipped again, which changes nothing.
        """
        self.shipped = shipped
        try:
            os.pwrite(self._file, struct.pack("<Q", shipped), _SHIPPED_AT)
        except OSError:
            return

    def remove(self) -> None:
        """Remove the file and let go of it."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file, so that others may adopt it."""
        with self._sync_lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
                self._synced = sys.maxsize  # whoever waits to sync has nothing to wait for


def sync_folder(folder: Path) -> None:
    """Make the folder's names survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def remove_dead_drafts(folder: Path) -> None:
    """Remove what processes that were killed at the wrong moment left of new files."""
    for path in folder.glob(f"*{_DRAFT}"):
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(file).st_mtime > _DRAFT_SECONDS:
                path.unlink(missing_ok=True)
        except OSError:
            continue
        finally:
            os.close(file)


def _write(file: int, data: bytes, at: int) -> None:
    written = os.pwrite(file, data, at)
    while written < len(data):
        written += os.pwrite(file, data[written:], at + written)


def _try_to_truncate(file: int, size: int) -> None:
    try:
        os.ftruncate(file, size)
    except OSError:
        return
