"""Stones as a store keeps them: with an id, the day of the price, and the delivery."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.cleaning import DATE, IDENTITIES, RawStones, RejectedRow, clean
from diamond_core.stones.diamond_table import DiamondTable, empty_rows
from diamond_core.stones.fields import is_blank, shown

Dates = NDArray[np.datetime64]
"""Days, of the type ``datetime64[D]``; NaT if unknown."""

Texts = NDArray[np.object_]
"""Texts, as objects."""

FIRST_DAY: Final = date(1900, 1, 1)
"""The first day that a price can have."""

_MAXIMUM_ID: Final = 200
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][0-9:.,+\-Z ]*)?", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_DOTS: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?: [0-9:.]*)?", re.ASCII)


def _no_texts() -> Texts:
    return np.empty(0, dtype=object)


@dataclass(frozen=True, slots=True)
class StoneRecords:
    """n priced stones.

    Attributes:
        table: the stones and their prices, n rows.
        ids: each stone's own id, '' if it has none, shape (n,).
        dates: the day on which each price was true, shape (n,).
        deliveries: the id of the delivery that each came with, shape (n,); empty before it is stored.
    """

    table: DiamondTable
    ids: Texts
    dates: Dates
    deliveries: Texts = field(default_factory=_no_texts)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, selection: NDArray[Any]) -> StoneRecords:
        """Return the selected stones, by a mask or by positions."""
        deliveries = self.deliveries[selection] if len(self.deliveries) else self.deliveries
        return StoneRecords(
            self.table[selection], self.ids[selection], self.dates[selection], deliveries
        )

    @classmethod
    def concatenate(cls, parts: Sequence[StoneRecords]) -> Self:
        """Return the stones of all *parts*, in order."""
        return cls(
            DiamondTable.concatenate([each.table for each in parts]),
            np.concatenate([_no_texts(), *(each.ids for each in parts)]),
            np.concatenate([np.empty(0, "M8[D]"), *(each.dates for each in parts)]),
            np.concatenate([_no_texts(), *(each.deliveries for each in parts)]),
        )

    def spread(self, mask: NDArray[np.bool_]) -> StoneRecords:
        """Return a row for each value of *mask*: the next stone where it is true, else nothing."""
        rows = empty_rows(len(mask))
        rows[mask] = self.table.rows_of_today()
        ids = np.full(len(mask), "", dtype=object)
        ids[mask] = self.ids
        dates = np.full(len(mask), "NaT", "M8[D]")
        dates[mask] = self.dates
        return StoneRecords(DiamondTable(rows), ids, dates)

    def dated(self, day: date) -> StoneRecords:
        """Return the same stones; those without a date have *day*."""
        dates = np.where(np.isnat(self.dates), np.datetime64(day, "D"), self.dates)
        return StoneRecords(self.table, self.ids, dates, self.deliveries)


@dataclass(frozen=True, slots=True)
class CleanRecords:
    """The result of cleaning a batch: the usable stones, where they were, and the other rows."""

    records: StoneRecords
    lines: NDArray[np.int64]
    rejected: tuple[RejectedRow, ...]


def clean_records(raw: RawStones, *, today: date) -> CleanRecords:
    """Clean a batch of priced stones as ``clean`` does, and read their ids and dates.

    A date can't be later than ``last_day(today)``.
    """
    cleaned = clean(raw)
    lines = np.array(raw.lines, dtype=np.int64)
    reasons = {row.line: row.reasons for row in cleaned.rejected}
    ids, long = _read_ids(raw)
    dates, odd = _read_dates(raw.columns.get(DATE), len(lines), today)
    for at, reason in [*long.items(), *odd.items()]:
        line = int(lines[at])
        reasons[line] = (*reasons.get(line, ()), reason)
    usable = ~np.isin(lines, list(reasons)) if reasons else np.ones(len(lines), dtype=bool)
    accepted = ~np.isin(lines, [row.line for row in cleaned.rejected])
    return CleanRecords(
        StoneRecords(cleaned.table[usable[accepted]], ids[usable], dates[usable]),
        lines[usable],
        tuple(RejectedRow(line, reasons[line], raw.source) for line in sorted(reasons)),
    )


def _read_ids(raw: RawStones) -> tuple[Texts, dict[int, str]]:
    """Return each row's id, and the reasons for ids that can't be kept."""
    ids = np.full(len(raw.lines), "", dtype=object)
    if not raw.columns.keys() & {*IDENTITIES}:
        return ids, {}
    for name in reversed(IDENTITIES):
        if name in raw.columns:
            found = np.array([as_text(value) for value in raw.columns[name]], dtype=object)
            ids = np.where(found == "", ids, found)
    problems = {
        at: f"id must have at most {_MAXIMUM_ID} characters"
        for at, id in enumerate(ids)
        if len(id) > _MAXIMUM_ID
    }
    return ids, problems


def _read_dates(
    values: Sequence[object] | None, size: int, today: date
) -> tuple[Dates, dict[int, str]]:
    """Return each row's date, and the reasons for values that are not dates."""
    dates = np.full(size, "NaT", dtype="M8[D]")
    problems: dict[int, str] = {}
    if not values:
        return dates, problems
    values = [each if isinstance(each, Hashable) else str(each) for each in values]
    read: dict[object, date | None] = {}
    wrong: dict[object, str] = {}
    last = last_day(today)
    for value in dict.fromkeys(values):
        day = None if is_blank(value, text=True) else as_date(value)
        if day is not None and FIRST_DAY <= day <= last:
            read[value] = day
        elif day is not None:
            wrong[value] = f"date must be a day from {FIRST_DAY} to {last}, not {day}"
        elif not is_blank(value, text=True):
            sentence = f"date must be a day, such as {today}, not {shown(value, text=True)}"
            wrong[value] = sentence
    dates[:] = [read.get(value) for value in values]
    if wrong:
        problems = {at: wrong[value] for at, value in enumerate(values) if value in wrong}
    return dates, problems


def as_text(value: object) -> str:
    """Return a cell as text, '' if it is blank; a whole number has no decimals."""
    if isinstance(value, str):
        text = value.strip()
        # the apostrophe that a CSV of rejected rows has before what looks like a formula
        return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@"} else text
    if is_blank(value, text=True):
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value)  # type: ignore[call-overload]


def last_day(today: date) -> date:
    """Return the last day that a price can have: the next one, for those who are ahead of UTC."""
    return today + timedelta(days=1)


def as_date(value: object) -> date | None:
    """Return *value* as a day, or None if it is not a day.

    A text is year-month-day (ISO 8601, a time can follow) or day.month.year. 3/4/2026 is none: it
    is another day in Europe than in America.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = match.groups()[:3]
    elif match := _DOTS.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
