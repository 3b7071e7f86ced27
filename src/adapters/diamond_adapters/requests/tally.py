"""Counts that all workers share and that outlive them."""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_COUNTS: Final = struct.Struct("<8sQQQ")
_MAGIC: Final = b"DCTALLY1"
_ROOM: Final = 64


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted since the folder was made.

    Attributes:
        shipped: entries handed to the database; one handed twice counts twice.
        lost: exchanges that were answered and not kept.
        lost_at: when the last of them was lost, in seconds since 1970, or 0.
    """

    shipped: int = 0
    lost: int = 0
    lost_at: float = 0.0


class Tally:
    """The counts of one folder, in a file of fixed size: a full disk does not stop the counting.

    Where the file can't be reached, what is counted waits in memory for the next time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a fork: what waits in memory is the parent's to write."""
        self._lock = threading.Lock()
        self._waiting = Counts()

    def add(self, *, shipped: int = 0, lost: int = 0) -> None:
        """Count; without anything to count, write down what waits in memory."""
        with self._lock:
            at = time.time() if lost else self._waiting.lost_at
            total = Counts(self._waiting.shipped + shipped, self._waiting.lost + lost, at)
            self._waiting = total
            if not (total.shipped or total.lost) and self._path.exists():
                return
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._locked(os.O_RDWR | os.O_CREAT) as file:
                    _write(file, _sum(_read(file), total))
                    self._waiting = Counts()

    def read(self) -> Counts:
        """Return the counts of all workers, and what waits in this one's memory."""
        with self._lock:
            try:
                with self._locked(os.O_RDONLY) as file:
                    return _sum(_read(file), self._waiting)
            except OSError:
                return self._waiting

    @contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        file = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        one.shipped + other.shipped, one.lost + other.lost, max(one.lost_at, other.lost_at)
    )


def _read(file: int) -> Counts:
    data = os.pread(file, _COUNTS.size, 0)
    if len(data) < _COUNTS.size or not data.startswith(_MAGIC):
        return Counts()
    _, shipped, lost, lost_ns = _COUNTS.unpack(data)
    return Counts(shipped, lost, lost_ns / 1e9)


def _write(file: int, counts: Counts) -> None:
    data = _COUNTS.pack(_MAGIC, counts.shipped, counts.lost, int(counts.lost_at * 1e9))
    if os.pwrite(file, data.ljust(_ROOM, b"\0"), 0) != _ROOM:
        raise OSError("the counts were not written whole")
