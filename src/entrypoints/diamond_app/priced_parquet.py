"""Price a Parquet file of stones: it keeps its rows and columns and gets five more columns."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from diamond_adapters.parquet_batches import (
    packed,
    read_batches,
    stones_of,
    unpacked,
    write_batches,
)
from diamond_adapters.sources.csv_rows import column_names, lacks
from diamond_app.priced_rows import (
    ADDED,
    PricedFile,
    PricedRows,
    PriceParts,
    in_this_thread,
    summed,
)
from diamond_core import PriceDiamonds, Progress, SourceUnreadable, no_progress
from diamond_core.stones.cleaning import missing_columns

if TYPE_CHECKING:
    from arro3.core import Field, RecordBatch

_ROWS_AT_ONCE: Final = 10_000
_ROWS_OF_A_GROUP: Final = 100_000


def price_parquet(
    name: str,
    source: BinaryIO,
    target: IO[bytes],
    price_diamonds: PriceDiamonds,
    *,
    progress: Progress = no_progress,
    price_parts: PriceParts | None = None,
) -> PricedFile:
    """Price each row of the Parquet file *source*, which has a descriptor; write *target*.

    Rows keep their order and values. The columns and *price_parts* are as for ``price_csv``; a cell
    that is empty there is null. The memory does not grow with the number of rows.

    Raises:
        SourceUnreadable: it is not a Parquet file with the columns carat, cut, color and clarity, or
            it has a column of the name of a new one.
        NoChampion: no model is served.
    """
    pinned = price_diamonds.pinned()
    price_parts = price_parts or in_this_thread(pinned)
    size = os.fstat(source.fileno()).st_size
    good = 0
    reasons: Counter[str] = Counter()
    with read_batches(name, source, _ROWS_AT_ONCE) as (schema, batches):
        names = schema.names
        columns = column_names(name, names)
        missing = missing_columns(columns, priced=False)
        if missing:
            raise SourceUnreadable(name, lacks(missing, names))
        there = [each for each in ADDED if each in names]
        if there:
            raise SourceUnreadable(name, f"it already has {', '.join(there)}: drop these columns")

        def priced() -> Iterator[RecordBatch]:
            nonlocal good, reasons
            for part in price_parts(_PriceBatch(name, columns), map(packed, batches)):
                good += part.good
                reasons = summed(reasons, part.reasons)
                yield unpacked(part.data)
                # the reader's place in the file, which it shares
                place = os.lseek(source.fileno(), 0, os.SEEK_CUR)
                progress("pricing the stones", min(place / max(size, 1), 1.0))

        wider = reduce(type(schema).append, _fields(), schema)
        write_batches(wider, priced(), target, _ROWS_OF_A_GROUP)
    return PricedFile(good, reasons.total(), reasons, pinned.card.id)


def _fields() -> list[Field]:
    """Return the new columns."""
    from arro3.core import DataType, Field

    kinds = (DataType.float64(),) * 3 + (DataType.string(),) * 2
    return [Field(name, kind) for name, kind in zip(ADDED, kinds, strict=True)]


@dataclass(frozen=True, slots=True)
class _PricedBatch:
    """A batch with its new columns, as bytes."""

    data: bytes
    good: int
    reasons: Counter[str]


@dataclass(frozen=True, slots=True)
class _PriceBatch:
    """Prices the batches of a Parquet file with these columns."""

    name: str
    columns: Sequence[str]

    def __call__(self, data: bytes, price_diamonds: PriceDiamonds) -> _PricedBatch:
        from arro3.core import Array

        batch = unpacked(data)
        read = stones_of(self.name, self.columns, batch.columns)
        priced = PricedRows.of(read, batch.num_rows, price_diamonds)
        amounts = [
            [None if amount != amount else amount for amount in column]
            for column in priced.amounts.T.tolist()
        ]
        errors = [error or None for error, _ in priced.notes]
        warnings = [warning or None for _, warning in priced.notes]
        for field, values in zip(_fields(), (*amounts, errors, warnings), strict=True):
            batch = batch.append_column(field, Array(values, field.type))
        return _PricedBatch(packed(batch), priced.good, priced.reasons)
