"""A stream with a maximum size."""

from __future__ import annotations

import io
from typing import Any


class Bounded(io.RawIOBase):
    """The bytes of *file*. To read more than *maximum* of them is an ``OSError``."""

    def __init__(self, file: io.BufferedIOBase | io.RawIOBase, maximum: int, what: str) -> None:
        super().__init__()
        self._file = file
        self._maximum = maximum
        self._what = what
        self._left = maximum

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer) or 0
        self._left -= count
        if self._left < 0:
            raise OSError(
                f"{self._what} has more than {self._maximum:,} bytes; save it as a file first"
            )
        return count

    def close(self) -> None:
        super().close()
        self._file.close()
