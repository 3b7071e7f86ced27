"""Counts of the stones that were priced, by the hour and by the bins of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.model_card import outside_range
from diamond_core.models.profile import PROFILED, Profile
from diamond_core.monitoring.priced_stones import PricedStones
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import OPTIONAL, PRICE

Counts = NDArray[np.int64]

_FIRST: Final = ("stones", "repeated", "outside", "four_cs")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCounts:
    """Counts of the distinct stones of a window.

    Attributes:
        stones: the number of distinct stones.
        repeated: how often one of them was priced before, in the window.
        outside: how many have a number outside the training range.
        four_cs: how many have no known measurement.
        log_price: the sum of the natural logarithms of their prices in USD.
        bins: how many are in each bin of the profile, by field and for the price.
    """

    stones: int
    repeated: int
    outside: int
    four_cs: int
    log_price: float
    bins: Mapping[str, Counts]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """The counts of one hour.

    A stone that is priced several times is in the hour of its last price only. So the sum of the
    hours from one until the last has each distinct stone once.

    Attributes:
        at: the beginning of the hour.
        cells: whole numbers: stones, repeated, outside, four_cs, then the bins in the order of the profile.
            As text, because reading many numbers one by one is slow.
        log_price: as in ``WindowCounts``.
    """

    at: datetime
    cells: str
    log_price: float

    @classmethod
    def sum(cls, hours: tuple[Self, ...], profile: Profile, since: datetime) -> WindowCounts:
        """Return the counts from the hour of *since* on.

        Raises:
            ValueError: the counts are not those of *profile*.
        """
        first = since.replace(minute=0, second=0, microsecond=0)
        some = [each for each in hours if each.at >= first]
        spans = _spans(profile)
        total = np.zeros(spans[PRICE.name].stop, dtype=np.int64)
        for each in some:
            total += np.array(each.cells.split(), dtype=np.int64)
        return WindowCounts(
            **dict(zip(_FIRST, total.tolist(), strict=False)),
            log_price=sum(each.log_price for each in some),
            bins={name: total[span] for name, span in spans.items()},
        )


class HourlyCounter:
    """Counts stones, newest first: the first that is added of equal stones counts.

    It keeps 8 bytes for each distinct stone.

    Args:
        profile: whose bins to count.
        training_range: field -> (minimum, maximum).
    """

    def __init__(self, profile: Profile, training_range: Mapping[str, tuple[float, float]]) -> None:
        self._profile = profile
        self._training_range = training_range
        self._spans = _spans(profile)
        self._seen = np.empty(0, dtype=np.uint64)
        self._cells: dict[int, Counts] = {}
        self._log_prices: dict[int, float] = {}

    def add(self, priced: PricedStones) -> None:
        """Count *priced*, which are older than all that were added before, and newest first."""
        new = self._is_new(priced.table.stone_hashes())
        hours, which = np.unique(priced.times.astype("M8[h]").astype(np.int64), return_inverse=True)
        fresh, which_fresh, count = priced[new], which[new], len(hours)
        cells = np.zeros((count, self._spans[PRICE.name].stop), dtype=np.int64)
        outside = is_outside(fresh.table, self._training_range)
        cells[:, 0] = np.bincount(which_fresh, minlength=count)
        cells[:, 1] = np.bincount(which[~new], minlength=count)
        cells[:, 2] = np.bincount(which_fresh[outside], minlength=count)
        measured = np.any([fresh.table.known(name) for name in OPTIONAL], axis=0)
        cells[:, 3] = np.bincount(which_fresh[~measured], minlength=count)
        for name, span in self._spans.items():
            values = fresh.prices if name == PRICE.name else fresh.table.column(name)
            bins = self._profile.bins(name, values)
            known = bins >= 0
            np.add.at(cells, (which_fresh[known], span.start + bins[known]), 1)
        log_prices = np.bincount(which_fresh, np.log(fresh.prices), count)
        for hour, row, log_price in zip(hours.tolist(), cells, log_prices.tolist(), strict=True):
            self._cells[hour] = self._cells.get(hour, 0) + row
            self._log_prices[hour] = self._log_prices.get(hour, 0.0) + log_price

    def hours(self) -> tuple[HourCounts, ...]:
        """Return the counts of each hour with any stone, oldest first."""
        return tuple(
            HourCounts(
                at=datetime.fromtimestamp(3600 * hour, UTC),
                cells=" ".join(map(str, self._cells[hour].tolist())),
                log_price=self._log_prices[hour],
            )
            for hour in sorted(self._cells)
        )

    def _is_new(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return which stones were not seen yet, and remember them."""
        distinct, firsts = np.unique(hashes, return_index=True)
        places = np.searchsorted(self._seen, distinct)
        known = np.zeros(len(distinct), dtype=bool)
        inside = places < len(self._seen)
        known[inside] = self._seen[places[inside]] == distinct[inside]
        new = np.zeros(len(hashes), dtype=bool)
        new[firsts[~known]] = True
        self._seen = np.insert(self._seen, places[~known], distinct[~known])
        return new


def is_outside(
    table: DiamondTable, training_range: Mapping[str, tuple[float, float]]
) -> NDArray[np.bool_]:
    """Return for each stone whether any number is outside *training_range*, shape (n,)."""
    outside = np.zeros(len(table), dtype=bool)
    for each in outside_range(table, training_range).values():
        outside |= each
    return outside


def _spans(profile: Profile) -> dict[str, slice]:
    """Return where the bins of each field are among the cells."""
    spans, start = {}, len(_FIRST)
    for name in PROFILED:
        if name in profile.counts:  # a field that was added later is not
            spans[name] = slice(start, start + len(profile.counts[name]))
            start = spans[name].stop
    return spans
