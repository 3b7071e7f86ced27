"""Stones from a Parquet file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from diamond_adapters.parquet_batches import damaged, read_batches, values_of
from diamond_adapters.sources.csv_rows import column_names, columns_of
from diamond_adapters.sources.opened import Open, opened, rewindable
from diamond_core import BATCH_ROWS, RawStones

_INDEX: Final = re.compile("__index_level_[0-9]+__")
"""The columns in which pandas keeps an index."""


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
                rows = list(zip(*columns, strict=True))
                lines = range(first, first + len(rows))
                delivered = list(zip(lines, rows, strict=True))
                values = columns_of(rows, [name.strip().casefold() for name in header])
                yield RawStones(self.name, values, lines, (), header, delivered)
                first += len(rows)

    def _batches(self, file: BinaryIO) -> Iterator[tuple[list[str], list[list[object]]]]:
        """Yield the names and the columns of each record batch."""
        with read_batches(self.name, file, BATCH_ROWS) as (schema, batches):
            places = self._places(schema.names)
            header = [schema.names[at] for at in places]
            is_empty = True
            for batch in batches:
                try:
                    columns = [values_of(batch.columns[at]) for at in places]
                except Exception as ex:  # arro3 raises nothing more specific
                    raise damaged(self.name) from ex
                yield header, columns
                is_empty = False
            if is_empty:
                yield header, [[] for _ in places]

    def _places(self, names: Sequence[str]) -> list[int]:
        """Return the places of the columns, without an index of pandas."""
        places = [at for at, name in enumerate(names) if not _INDEX.fullmatch(name)]
        column_names(self.name, [names[at] for at in places])
        return places
