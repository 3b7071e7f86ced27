"""A file of stones in parts, which other hosts can read where they have the same file."""

from __future__ import annotations

import io
import os
import re
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from diamond_adapters.sources.csv_rows import CsvRows
from diamond_adapters.sources.csv_source import ADVICE
from diamond_adapters.sources.opened import Open, opened
from diamond_adapters.sources.parquet_source import ParquetSource
from diamond_core import BATCH_ROWS, RawStones, SourceUnreadable, StoneSource

_READ: Final = 1 << 24
"""How many bytes of a CSV are looked at at once."""
_BATCHES: Final = 8
"""The maximum number of batches in a part of a CSV: their text is in memory."""
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def opening(path: Path) -> Open:
    """Return what opens the file at *path* on any host that has it, too."""
    return partial(_open_same, path.resolve(), path.stat().st_size)


def _open_same(path: Path, size: int) -> BinaryIO:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        reason = (
            f"the worker on {socket.gethostname()} has no {path}; all workers need the same files"
        )
        raise OSError(reason) from None
    if os.fstat(file.fileno()).st_size != size:
        file.close()
        raise OSError(f"the worker on {socket.gethostname()} has another file {path}")
    return file


def parquet_parts(name: str, path: Path, count: int) -> Sequence[StoneSource]:
    """Return up to *count* parts of a Parquet file, or none if it is damaged.

    A part decodes what is before it, too: that takes a tenth of the time of cleaning it.
    """
    import pyarrow.parquet as pq  # Dask needs it anyway

    try:
        rows = pq.read_metadata(path).num_rows
    except Exception:  # who reads it all says what is wrong
        return []
    batches = -(-rows // BATCH_ROWS)
    size = max(-(-batches // count), 1)
    return [
        ParquetSource(name, opening(path), batches=range(start, start + size))
        for start in range(0, batches, size)
    ]


def csv_parts(name: str, path: Path, count: int) -> Sequence[StoneSource]:
    """Return about *count* parts of a CSV, or none if its rows can't be told from its lines.

    That is so if a cell has several lines, if a row is blank, or if it is UTF-16.
    """
    try:
        with path.open("rb") as file:
            rows = CsvRows(name, file)
            lines, delimiter = rows.lines_read, rows.delimiter.encode()
            rows.release()
            file.seek(0)
            header = b"".join(file.readline() for _ in range(lines))
            if header.startswith(_UTF16) or header.count(b"\r") != header.count(b"\r\n"):
                return []
            ends = _ends_of_batches(file, delimiter)
    except (OSError, SourceUnreadable):  # who reads it all says what is wrong
        return []
    if not ends:
        return []
    size = min(-(-len(ends) // count), _BATCHES)
    starts = [len(header), *ends[size - 1 : -1 : size]]
    stops = [*starts[1:], ends[-1]]
    return [
        CsvPart(name, opening(path), header, slice(start, stop), at * size * BATCH_ROWS)
        for at, (start, stop) in enumerate(zip(starts, stops, strict=True))
    ]


def _ends_of_batches(file: BinaryIO, delimiter: bytes) -> list[int]:
    """Return where each batch of rows ends, or nothing if a row may not be one line."""
    quote = b'"'
    blank = re.compile(rb"^(?:[^!-~\n]|[" + re.escape(delimiter + quote) + rb"])*$", re.MULTILINE)
    ends: list[int] = []
    first = start = file.tell()
    rows = 0
    while text := file.read(_READ):
        text += file.readline()
        inside = text.split(quote)
        before = {part[-1:] for part in inside[:-1:2]}
        if (
            len(inside) % 2 == 0
            or not before <= {b"", delimiter, b"\n"}
            or any(b"\n" in part for part in inside[1::2])
            or text.count(b"\r") != text.count(b"\r\n")
            or blank.search(text, 0, len(text) - text.endswith(b"\n"))
        ):
            return []
        lines = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
        ends += (start + lines[BATCH_ROWS - rows % BATCH_ROWS - 1 :: BATCH_ROWS]).tolist()
        rows += len(lines)
        start += len(text)
    is_in_batch = start > (ends[-1] if ends else first)
    return [*ends, start] if is_in_batch else ends


class CsvPart:
    """A ``StoneSource`` of some of the rows of a CSV, each of them one line.

    Args:
        name: its name in messages.
        open: opens the whole file.
        header: what is before the first row.
        part: the place of the rows in the file, in bytes.
        before: how many rows are before them.
    """

    def __init__(self, name: str, open: Open, header: bytes, part: slice, before: int) -> None:
        self.name = name
        self._open = open
        self._header = header
        self._part = part
        self._before = before

    def read(self) -> Iterator[RawStones]:
        with opened(self.name, self._open) as file:
            file.seek(self._part.start)
            text = self._header + file.read(self._part.stop - self._part.start)
        rows = CsvRows(self.name, io.BytesIO(text), advice=ADVICE, lines_left_out=self._before)
        while batch := rows.take(BATCH_ROWS):
            yield batch
