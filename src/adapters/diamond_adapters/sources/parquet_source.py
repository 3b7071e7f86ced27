"""Stones from a Parquet file."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, Final

import numpy as np

from diamond_adapters.installed import not_installed
from diamond_adapters.sources.csv_rows import column_names
from diamond_adapters.sources.delivered import Delivered
from diamond_adapters.sources.opened import Open, opened, rewindable
from diamond_core import BATCH_ROWS, DiamondError, RawStones, SourceUnreadable
from diamond_core.stones.cleaning import READ_COLUMNS
from diamond_core.stones.fields import NUMBERS, PRICE

_INDEX: Final = re.compile("__index_level_[0-9]+__")
"""The columns in which pandas keeps an index."""
# In a process of its own: on damaged files, arro3 can abort the process that it runs in.
_READER: Final = (
    "import sys; from arro3.io import read_parquet, write_ipc_stream;"
    f"rows = read_parquet(open(0, 'rb'), batch_size={BATCH_ROWS});"
    "write_ipc_stream(rows, sys.stdout.buffer, compression=None)"
)
_NUMBERS: Final = frozenset({*NUMBERS, PRICE.name})
_PLAIN: Final = ("<Float64>", "<Int64>", "<Int32>", "<Int16>")
_DAMAGED: Final = "the Parquet file is damaged, or has a feature that arro3 can't read"


class ParquetSource:
    """A ``StoneSource`` of the rows of a Parquet file, read in batches.

    Columns are found by their names, in any order and case; others are ignored, and so is an index
    of pandas. Rows are numbered from 1.

    Args:
        name: its name in messages and cards.
        open: opens the bytes; raises ``OSError`` if it can't.
    """

    def __init__(self, name: str, open: Open) -> None:
        self.name = name
        self._open = open

    def read(self) -> Iterator[RawStones]:
        with opened(self.name, self._open) as stream, rewindable(stream) as file:
            first = 1
            for header, columns in self._batches(file):
                lines = range(first, first + (len(columns[0]) if columns else 0))
                names = [name.strip().casefold() for name in header]
                values = {
                    name: _numbers(column) if name in _NUMBERS else _values(column)
                    for name, column in zip(names, columns, strict=True)
                    if name in READ_COLUMNS
                }
                delivered = Delivered(lines, partial(_all_values, columns))
                yield RawStones(self.name, values, lines, (), header, delivered)
                first += len(lines)

    def _batches(self, file: BinaryIO) -> Iterator[tuple[list[str], list[Any]]]:
        """Yield the names and the columns of each record batch."""
        try:
            from arro3.io import read_ipc_stream
        except ImportError as ex:
            raise SourceUnreadable(self.name, not_installed(ex)) from ex
        file.seek(0)
        command = (sys.executable, "-c", _READER)
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(command, stdin=file, stdout=pipe, stderr=null) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101  # it is a pipe
            try:
                reader = read_ipc_stream(process.stdout)
                places = self._places(reader.schema.names)
                header = [reader.schema.names[at] for at in places]
                is_empty = True
                while (batch := next(reader, None)) is not None:
                    yield header, [batch.columns[at] for at in places]
                    is_empty = False
                if is_empty:
                    yield header, [[] for _ in places]
            except DiamondError:
                raise
            except Exception as ex:  # arro3 raises nothing more specific
                raise SourceUnreadable(self.name, _DAMAGED) from ex
            if process.wait():
                raise SourceUnreadable(self.name, _DAMAGED)

    def _places(self, names: Sequence[str]) -> list[int]:
        """Return the places of the columns, without an index of pandas."""
        places = [at for at, name in enumerate(names) if not _INDEX.fullmatch(name)]
        column_names(self.name, [names[at] for at in places])
        return places


def _numbers(column: Any) -> Any:
    """Return a column as an array of numbers if it is one and none is unknown, else as values."""
    plain = (
        len(column) and not column.null_count and any(kind in str(column.type) for kind in _PLAIN)
    )
    return column.to_numpy() if plain else _values(column)


def _all_values(columns: Sequence[Any]) -> list[list[Any]]:
    return [_values(column) for column in columns]


def _values(column: Any) -> list[Any]:
    """Return a column as Python values; a float32 is the number that its writer saw."""
    if isinstance(column, list):
        return column
    values: list[Any] = column.to_pylist()
    if "Float32" not in str(column.type) and "Float16" not in str(column.type):
        return values
    return [None if each is None else float(str(np.float32(each))) for each in values]
