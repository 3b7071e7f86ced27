"""Stones from CSV text."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, Self

from diamond_adapters.sources.csv_rows import CsvRows, without_rows
from diamond_adapters.sources.opened import Open, opened, rewindable
from diamond_core import BATCH_ROWS, RawStones

ADVICE: Final = "save it as UTF-8, or name its encoding, such as --encoding cp1252"
"""What to do with a file in another encoding."""


class CsvSource:
    """A ``StoneSource`` of comma-, semicolon- or tab-separated text with a header line.

    Columns are found by their names, in any order and case; others are ignored. A first line such
    as ``sep=;`` names another separator. The text is UTF-8, UTF-16 if a byte order mark says so,
    or else in *encoding*; it can be gzipped. It is read as a stream.

    Args:
        name: its name in messages and cards.
        open: opens the bytes; raises ``OSError`` if it can't.
        maximum: the maximum size of the decompressed text, in bytes.
        encoding: the encoding of a text that is not UTF-8.
    """

    def __init__(
        self, name: str, open: Open, *, maximum: int = sys.maxsize, encoding: str | None = None
    ) -> None:
        self.name = name
        self._open = open
        self._maximum = maximum
        self._encoding = encoding

    @classmethod
    def from_path(cls, path: Path) -> Self:
        """Return the source for a file on this machine."""
        return cls(str(path), lambda: path.open("rb"))

    def read(self) -> Iterator[RawStones]:
        with opened(self.name, self._open, self._maximum) as stream, ExitStack() as stack:
            file: BinaryIO = stream
            encoding = "UTF-8"
            if self._encoding:
                file = stack.enter_context(rewindable(stream))
                encoding = "UTF-8" if _is_utf8(file) else self._encoding
            rows = CsvRows(self.name, file, encoding, ADVICE)
            batch = rows.take(BATCH_ROWS)
            yield batch or without_rows(self.name, rows.header, rows.columns)
            while batch:
                batch = None  # so that only one batch is in memory
                if batch := rows.take(BATCH_ROWS):
                    yield batch


def _is_utf8(file: BinaryIO) -> bool:
    """Return whether all of *file* is UTF-8; go back to its start."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while part := file.read(1 << 20):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True
