"""How many exchanges could not be kept: a count that all processes share and that outlives them."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FILE: Final = "losses"
_COUNT: Final = struct.Struct("<Qd")


class Losses:
    """The count and the time of the last loss, in a file of fixed size: a full disk can hold it.

    Where the file can't be reached, what is counted waits in memory for the next loss.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._waiting = 0

    def prepare(self) -> None:
        """Make the file while there is room for it."""
        with suppress(OSError), self._locked(os.O_RDWR | os.O_CREAT) as file:
            if os.fstat(file).st_size < _COUNT.size:
                os.pwrite(file, _COUNT.pack(0, 0.0), 0)

    def count(self) -> None:
        """Count one exchange that was answered and not kept."""
        self._waiting += 1
        with suppress(OSError), self._locked(os.O_RDWR | os.O_CREAT) as file:
            total = _read(file)[0] + self._waiting
            os.pwrite(file, _COUNT.pack(total, time.time()), 0)
            self._waiting = 0

    def read(self) -> tuple[int, float]:
        """Return how many were lost, and when the last one was, in seconds since 1970."""
        count, at = 0, 0.0
        with suppress(OSError), self._locked(os.O_RDONLY) as file:
            count, at = _read(file)
        return count + self._waiting, time.time() if self._waiting else at

    @contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        if flags & os.O_CREAT:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _read(file: int) -> tuple[int, float]:
    data = os.pread(file, _COUNT.size, 0)
    return _COUNT.unpack(data) if len(data) == _COUNT.size else (0, 0.0)
