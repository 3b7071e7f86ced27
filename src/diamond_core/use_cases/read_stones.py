"""Read stones from sources, and clean them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diamond_core.ports import StoneSource
from diamond_core.stones.cleaning import CleanStones, RawStones, RejectedRow, check_columns, clean
from diamond_core.stones.diamond_table import DiamondTable


def read_stones(sources: Sequence[StoneSource]) -> tuple[CleanStones, str]:
    """Return the stones of all *sources* as one table, and the sources' names.

    It reads batch by batch: only numbers stay in memory.

    Raises:
        SourceUnreadable: a source can't be read, or lacks a column.
    """
    tables: list[DiamondTable] = []
    rejected: list[RejectedRow] = []
    for batch in batches_of(sources):
        cleaned = clean(batch)
        tables.append(cleaned.table)
        rejected += cleaned.rejected
    names = ", ".join(source.name for source in sources)
    return CleanStones(DiamondTable.concatenate(tables), tuple(rejected)), names


def batches_of(sources: Sequence[StoneSource]) -> Iterator[RawStones]:
    """Yield the batches of all *sources*, which have the required columns.

    Raises:
        SourceUnreadable: a source can't be read, or lacks a column.
    """
    for source in sources:
        for batch in source.read():
            check_columns(batch)
            yield batch
