"""Tell which stones of a delivery are new to a store, known, or corrections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.stone_records import Dates, StoneRecords

NEW: Final = 0
REPEATED: Final = 1
CORRECTED: Final = 2


@dataclass(frozen=True, slots=True)
class StoneMarks:
    """What identifies n stones: 32 bytes for each instead of the stone.

    Attributes:
        ids: a hash of each stone's id, 0 if it has none, shape (n,); valid in this process only.
        four_cs: a hash of the weight and the grades, shape (n,).
        contents: a hash of the fields and the price, shape (n,).
        dates: the day of the price, NaT if it was not given, shape (n,).
    """

    ids: NDArray[np.int64]
    four_cs: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    dates: Dates

    @classmethod
    def of(cls, records: StoneRecords) -> Self:
        """Return the marks of *records*."""
        ids = ((hash(id) or 1) if id else 0 for id in records.ids)
        return cls(
            np.fromiter(ids, np.int64, len(records)),
            records.table.four_cs_hashes(),
            records.table.row_hashes(),
            records.dates,
        )

    @classmethod
    def concatenate(cls, parts: Iterable[StoneMarks]) -> Self:
        """Return the marks of all *parts*, in order."""
        columns = [(each.ids, each.four_cs, each.contents, each.dates) for each in parts]
        empty = [np.empty(0, kind) for kind in ("i8", "u8", "u8", "M8[D]")]
        return cls(*(np.concatenate(column) for column in zip(empty, *columns, strict=True)))

    def __getitem__(self, selection: NDArray[Any]) -> StoneMarks:
        """Return the selected marks."""
        return StoneMarks(
            self.ids[selection],
            self.four_cs[selection],
            self.contents[selection],
            self.dates[selection],
        )

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class SortedStones:
    """What a delivery of n stones brings.

    Attributes:
        status: ``NEW``, ``REPEATED`` or ``CORRECTED`` for each stone, shape (n,).
        kept: whether the stone, and not a later one of the same id, enters the store, shape (n,).
        matched: whether the store has the stone's id, shape (n,).
        renamed: whether the store has the stone's id for another weight or other grades, shape (n,).
    """

    status: NDArray[np.int8]
    kept: NDArray[np.bool_]
    matched: NDArray[np.bool_]
    renamed: NDArray[np.bool_]

    @property
    def growth(self) -> int:
        """The number of stones that the store gains."""
        return int((self.kept & ~self.matched).sum())

    def count(self, status: int) -> int:
        """Return the number of stones with this *status*."""
        return int((self.status == status).sum())


def sort_out(
    stored: StoneMarks, delivered: StoneMarks, day: date, *, supersedes: bool = False
) -> SortedStones:
    """Compare the stones of a delivery with those of a store.

    A stone with an id is known by it. The row with the later date is right; of two with the same
    date, the one that was delivered later. A row that repeats the values is known, as is a row with
    an earlier date. A stone without an id is known by its fields, its price and its date, or by its
    fields and its price if no date was given. *day* is the date of a price that has none. If the
    delivery *supersedes*, the row that was delivered later is right, whatever the dates of an id.
    """
    size = len(delivered)
    masks = (np.zeros(size, bool) for _ in range(3))
    result = SortedStones(np.zeros(size, np.int8), *masks)
    _by_id(stored, delivered, day, result, supersedes=supersedes)
    _by_content(stored, delivered, result)
    return result


def _by_content(stored: StoneMarks, delivered: StoneMarks, result: SortedStones) -> None:
    """Sort out the stones without an id: first those with a date, then the others."""
    dated = np.flatnonzero((delivered.ids == 0) & ~np.isnat(delivered.dates))
    keys = _dated(delivered)[dated]
    fresh = _firsts(keys) & ~np.isin(keys, _dated(stored))
    result.status[dated] = np.where(fresh, NEW, REPEATED)
    others = np.flatnonzero((delivered.ids == 0) & np.isnat(delivered.dates))
    keys = delivered.contents[others]
    seen = np.concatenate([stored.contents, delivered.contents[dated]])
    fresh = _firsts(keys) & ~np.isin(keys, seen)
    result.status[others] = np.where(fresh, NEW, REPEATED)
    for rows in (dated, others):
        result.kept[rows] = result.status[rows] == NEW


def _by_id(
    stored: StoneMarks, delivered: StoneMarks, day: date, result: SortedStones, *, supersedes: bool
) -> None:
    """Sort out the stones with an id: each is compared with the one before it of the same id."""
    rows = np.flatnonzero(delivered.ids)
    wanted = np.flatnonzero(np.isin(stored.ids, delivered.ids[rows]))
    result.matched[rows] = np.isin(delivered.ids[rows], stored.ids[wanted])
    pairs = _pairs(stored.ids[wanted], stored.four_cs[wanted])
    known = np.isin(_pairs(delivered.ids[rows], delivered.four_cs[rows]), pairs)
    result.renamed[rows] = result.matched[rows] & ~known
    # the stored stones come first; each delivered row follows in the order of dates
    ids = np.concatenate([stored.ids[wanted], delivered.ids[rows]])
    contents = np.concatenate([stored.contents[wanted], delivered.contents[rows]])
    given = np.concatenate([stored.dates[wanted], delivered.dates[rows]])
    dates = np.where(np.isnat(given), np.datetime64(day, "D"), given)
    first = len(wanted)  # from here on, rows are delivered ones
    position = np.arange(len(ids))
    order = np.lexsort((position, ids) if supersedes else (position, dates, ids))
    begins = np.ones(len(ids), bool)
    begins[1:] = ids[order][1:] != ids[order][:-1]
    group = np.cumsum(begins) - 1
    # a delivered row before the stored one of its id, in this order, is out of date
    stored_at = np.full(group[-1] + 1 if len(group) else 0, -1)
    is_stored = order < first
    stored_at[group[is_stored]] = np.flatnonzero(is_stored)
    outdated = np.arange(len(order)) < stored_at[group]
    same = np.zeros(len(ids), bool)
    before, after = order[:-1], order[1:]
    same[1:] = (contents[before] == contents[after]) & (
        np.isnat(given[after]) | (dates[before] == dates[after])
    )
    opens = begins & ~is_stored & ~outdated
    status = np.full(len(ids), CORRECTED, np.int8)
    status[same & ~begins] = REPEATED
    status[opens] = NEW
    status[outdated] = REPEATED
    changes = (status != REPEATED) & ~is_stored
    # the last change of each id is kept
    last = np.full(group[-1] + 1 if len(group) else 0, -1)
    last[group[changes]] = np.flatnonzero(changes)
    kept = np.zeros(len(ids), bool)
    kept[last[last >= 0]] = True
    given_rows = rows[order[~is_stored] - first]
    result.status[given_rows] = status[~is_stored]
    result.kept[given_rows] = kept[~is_stored]


def _dated(marks: StoneMarks) -> NDArray[np.uint64]:
    """Return a hash of the content and the date of each stone."""
    return _pairs(marks.contents, marks.dates)


def _pairs(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a hash of each pair of 64-bit values."""
    product = second.astype(np.int64).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    hashes: NDArray[np.uint64] = (first.view(np.uint64) ^ product) * np.uint64(0xBF58476D1CE4E5B9)
    return hashes


def _firsts(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether each key is the first of its kind, shape (n,)."""
    firsts = np.zeros(len(keys), bool)
    firsts[np.unique(keys, return_index=True)[1]] = True
    return firsts
