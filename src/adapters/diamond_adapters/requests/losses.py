"""The number of lost exchanges: a count that all processes share, and that survives them."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from diamond_adapters.flock import locked
from diamond_adapters.private_files import create_folder

FILE: Final = "losses"
_COUNT: Final = struct.Struct("<Qd")
_LOCK_SECONDS: Final = 0.05  # a response waits for it


class Losses:
    """The count and the time of the last loss, in a file of fixed size, writable on a full disk.

    If the file can't be written, the count waits in memory for the next loss.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._waiting = 0

    def prepare(self) -> None:
        """Create the file while there is disk space for it."""
        with suppress(OSError), self._locked() as file:
            if file is not None and os.fstat(file).st_size < _COUNT.size:
                os.pwrite(file, _COUNT.pack(0, 0.0), 0)

    def count(self) -> None:
        """Count one exchange that was answered but not recorded."""
        self._waiting += 1
        with suppress(OSError), self._locked() as file:
            if file is not None:
                total = _parsed(os.pread(file, _COUNT.size, 0))[0] + self._waiting
                os.pwrite(file, _COUNT.pack(total, time.time()), 0)
                self._waiting = 0

    def read(self) -> tuple[int, float]:
        """Return the number of losses, and the time of the last one in seconds since 1970."""
        count, at = 0, 0.0
        with suppress(OSError):
            count, at = _parsed(self._path.read_bytes())
        return count + self._waiting, time.time() if self._waiting else at

    @contextmanager
    def _locked(self) -> Iterator[int | None]:
        create_folder(self._path.parent)
        with locked(self._path, seconds=_LOCK_SECONDS) as file:
            yield file


def _parsed(data: bytes) -> tuple[int, float]:
    return _COUNT.unpack(data) if len(data) == _COUNT.size else (0, 0.0)
