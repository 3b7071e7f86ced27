"""Stones from a Parquet file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from diamond_adapters.parquet_batches import read_batches, stones_of, values_of
from diamond_adapters.sources.csv_rows import column_names, without_rows
from diamond_adapters.sources.delivered import Delivered
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
        batches: the numbers of the batches that are read; None: all.
    """

    def __init__(self, name: str, open: Open, *, batches: range | None = None) -> None:
        self.name = name
        self._open = open
        self._batches = batches

    def read(self) -> Iterator[RawStones]:
        with (
            opened(self.name, self._open) as stream,
            rewindable(stream) as file,
            read_batches(self.name, file, BATCH_ROWS) as (schema, batches),
        ):
            places = [at for at, name in enumerate(schema.names) if not _INDEX.fullmatch(name)]
            header = [schema.names[at] for at in places]
            names = column_names(self.name, header)
            first = 1
            for number, batch in enumerate(batches):
                lines = range(first, first + (batch.num_rows if places else 0))
                if self._batches is not None and number not in self._batches:
                    if number >= self._batches.stop:
                        return
                    first += len(lines)
                    continue
                every = batch.columns
                columns = [every[at] for at in places]
                values = stones_of(self.name, names, columns)
                delivered = Delivered(lines, partial(self._cells, columns))
                yield RawStones(self.name, values, lines, (), header, delivered)
                first += len(lines)
            if first == 1:
                yield without_rows(self.name, header, names)

    def _cells(self, columns: Sequence[Any]) -> list[list[Any]]:
        return [values_of(self.name, column) for column in columns]
