"""The stones of one training: from sources, or from a version of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np

from diamond_core.errors import TooFewStones
from diamond_core.ports import StoneSource, StoneStore
from diamond_core.stones.cleaning import RejectedRow
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.stone_records import Dates, StoneRecords, clean_records
from diamond_core.use_cases.read_stones import batches_of


@dataclass(frozen=True, slots=True)
class CleanBatch:
    """One batch of a source: its stones, the days of their prices, and the rejected rows."""

    table: DiamondTable
    dates: Dates
    rejected: tuple[RejectedRow, ...]


CleanSources = Callable[[Sequence[StoneSource], date], Iterable[CleanBatch]]
"""Reads all sources and cleans their batches, as ``clean_here`` does, perhaps on other machines."""


def clean_here(sources: Sequence[StoneSource], today: date) -> Iterator[CleanBatch]:
    """Yield the clean batches of all *sources*, in order; no date can be later than *today*'s.

    Raises:
        SourceUnreadable: a source can't be read, or lacks a column.
    """
    for batch in batches_of(sources):
        cleaned = clean_records(batch, today=today)
        yield CleanBatch(cleaned.records.table, cleaned.records.dates, cleaned.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStones:
    """n priced stones.

    Attributes:
        table: the stones, n rows.
        dates: the day of each price, NaT if it is not known, shape (n,).
        source: where they come from; it contains no password.
        rejected: the rows that are not usable.
        version: the version of the store; None if they come from sources.
    """

    table: DiamondTable
    dates: Dates
    source: str
    rejected: Sequence[RejectedRow] = ()
    version: int | None = None

    @classmethod
    def from_sources(
        cls,
        sources: Sequence[StoneSource],
        today: date,
        clean_sources: CleanSources = clean_here,
    ) -> Self:
        """Read and clean the stones of all *sources*, batch by batch: only numbers stay in memory.

        Raises:
            SourceUnreadable: a source can't be read, or lacks a column.
            Unavailable: *clean_sources* uses something that is gone.
        """
        tables: list[DiamondTable] = []
        dates: list[Dates] = [np.empty(0, "M8[D]")]
        rejected: list[RejectedRow] = []
        for batch in clean_sources(sources, today):
            tables.append(batch.table)
            dates.append(batch.dates)
            rejected += batch.rejected
        return cls(
            table=DiamondTable.concatenate(tables),
            dates=np.concatenate(dates),
            source=", ".join(source.name for source in sources),
            rejected=rejected,
        )

    @classmethod
    def from_store(cls, store: StoneStore, version: int | None = None) -> Self:
        """Read the stones of a version of the store, by default the present one.

        Their order depends only on the stones, so that the same version trains the same model.

        Raises:
            TooFewStones: the store is empty.
            StoneVersionNotFound: there is no such version.
        """
        records, number = read_version(store, version)
        return cls(
            table=records.table,
            dates=records.dates,
            source=f"the store of stones, version {number}",
            version=number,
        )


def read_version(store: StoneStore, version: int | None = None) -> tuple[StoneRecords, int]:
    """Return the stones of a version, by default the present one, and its number.

    Their order depends only on their content. Errors are those of ``TrainingStones.from_store``.
    """
    if version is None:
        present = store.version()
        if present is None:
            raise TooFewStones(0, 1, "stored")
        version = present.number
    records = StoneRecords.concatenate(list(store.stones(version)))
    order = np.lexsort((records.dates, records.table.row_hashes()))
    return records[order], version
