"""How the general level of prices has moved: a hedonic index with time dummies.

log price = c + f(log carat) + cut + color + clarity + level(period) + error

by least squares (Handbook on Residential Property Price Indices, Eurostat, 2013, section 5.2). So
the level is that of equal stones, however the mix of stones changes. Neighbouring levels are tied
together as a random walk is: a period of few stones follows its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import GRADES
from diamond_core.stones.stone_records import Dates

MINIMUM_DAYS: Final = 7
MINIMUM_STONES: Final = 50
"""A period has at least so many days and stones."""
_PERIOD: Final = np.timedelta64(MINIMUM_DAYS, "D")
STABLE: Final = 1.03
"""Levels within this factor count as the same."""
_NOISE: Final = 0.12
_STEP: Final = 0.03
"""The usual error of a log price, and of a step of the level in a week."""
_OUTLIER: Final = 0.6
_CHUNK: Final = 100_000


@dataclass(frozen=True, slots=True)
class PriceLevels:
    """The level of prices in each of k periods, the last one at 1.

    Attributes:
        since: the first day of each period, oldest first, shape (k,).
        levels: the factor between the prices of each period and those of the last, shape (k,).
    """

    since: Dates
    levels: Floats

    def at(self, dates: Dates) -> Floats:
        """Return the level on each of *dates*, shape (n,); a day that is not known has level 1."""
        period = np.clip(np.searchsorted(self.since, dates, side="right") - 1, 0, None)
        levels: Floats = np.where(np.isnat(dates), 1.0, self.levels[period])
        return levels

    def applied(self, table: DiamondTable, dates: Dates) -> DiamondTable:
        """Return the stones of *table* at the prices of the last period."""
        rows = table.rows_of_today()
        rows["price"] /= self.at(dates)
        return DiamondTable(rows)

    def as_pairs(self) -> tuple[tuple[str, float], ...]:
        """Return each period's first day and level, for a card."""
        days = (str(day) for day in self.since)
        return tuple(zip(days, np.round(self.levels, 4).tolist(), strict=True))

    def stable_since(self) -> Dates:
        """Return the first day since when the level is near the newest, and the earlier periods'.

        The last one is the first of all days.
        """
        odd = np.flatnonzero(np.abs(np.log(self.levels)) > log(STABLE))
        first = int(odd[-1]) + 1 if len(odd) else 0
        return self.since[first::-1]

    @classmethod
    def estimate(cls, table: DiamondTable, dates: Dates) -> PriceLevels | None:
        """Return the levels of n stones' prices, or None if all are of one period."""
        known = ~np.isnat(dates)
        since = _periods(dates[known])
        if len(since) < 2:
            return None
        table, dates = table[known], dates[known]
        period = np.searchsorted(since, dates, side="right") - 1
        weeks = np.maximum(np.diff(since).astype(np.int64) / 7.0, 1.0)
        kept = np.ones(len(table), dtype=bool)
        levels = np.zeros(len(since))
        for _ in range(2):  # the second time without outliers
            levels, errors = _fit(table, period, weeks, kept)
            kept = np.abs(errors) < _OUTLIER
        return cls(since, np.exp(levels - levels[-1]))


def _periods(dates: Dates) -> Dates:
    """Return the first days of periods of at least ``MINIMUM_DAYS`` and ``MINIMUM_STONES``.

    They are counted back from the last day, so that the newest period is complete.
    """
    days, counts = np.unique(dates, return_counts=True)
    starts: list[np.datetime64] = []
    end, stones = len(days) - 1, 0
    for at in range(len(days) - 1, -1, -1):
        stones += int(counts[at])
        before = days[at - 1] if at else days[0] - _PERIOD
        if stones >= MINIMUM_STONES and days[end] - before >= _PERIOD:
            starts.append(days[at])
            end, stones = at - 1, 0
    if starts and stones:
        starts[-1] = days[0]  # the oldest stones, which are too few, join the period after them
    return np.array(starts[::-1], dtype="M8[D]")


def _fit(
    table: DiamondTable, period: NDArray[np.intp], weeks: Floats, kept: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return the log levels, shape (k,), and the error of each log price, shape (n,)."""
    periods = len(weeks) + 1
    log_price = np.log(table.price)
    total = np.zeros((_WIDTH + periods, _WIDTH + periods))
    right = np.zeros(_WIDTH + periods)
    for start in range(0, len(table), _CHUNK):
        rows = np.flatnonzero(kept[start : start + _CHUNK]) + start
        design = _design(table[rows], period[rows], periods)
        total += design.T @ design
        right += design.T @ log_price[rows]
    total[np.arange(_WIDTH), np.arange(_WIDTH)] += 1e-6
    for at, penalty in enumerate((_NOISE / _STEP) ** 2 / weeks, start=_WIDTH):
        total[at : at + 2, at : at + 2] += penalty * np.array([[1.0, -1.0], [-1.0, 1.0]])
    total[_WIDTH, _WIDTH] += 1e-6
    solution = np.linalg.solve(total, right)
    errors = np.empty(len(table))
    for start in range(0, len(table), _CHUNK):
        some = slice(start, start + _CHUNK)
        errors[some] = log_price[some] - _design(table[some], period[some], periods) @ solution
    return solution[_WIDTH:].astype(np.float64), errors


_WIDTH: Final = 5 + sum(len(field.grades) - 1 for field in GRADES.values())


def _design(table: DiamondTable, period: NDArray[np.intp], periods: int) -> Floats:
    design = np.zeros((len(table), _WIDTH + periods))
    log_carat = np.log(table.carat)
    for power in range(5):
        design[:, power] = log_carat**power
    rows, first = np.arange(len(table)), 5
    for name, field in GRADES.items():
        number = table.column(name)
        better = number > 0
        design[rows[better], first + number[better].astype(np.intp) - 1] = 1.0
        first += len(field.grades) - 1
    design[rows, _WIDTH + period] = 1.0
    return design
