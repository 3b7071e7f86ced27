"""Counts of the stones that were priced, by the hour and by the bins of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.model_card import outside_range
from diamond_core.models.profile import PROFILED, Profile
from diamond_core.monitoring.priced_stones import Times
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import OPTIONAL, PRICE

Counts = NDArray[np.int64]

_FIRST: Final = ("stones", "repeated", "outside", "four_cs")
_AT_ONCE: Final = 100_000


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
    def count(
        cls,
        table: DiamondTable,
        times: Times,
        priced: Mapping[int, int],
        profile: Profile,
        training_range: Mapping[str, tuple[float, float]],
    ) -> tuple[Self, ...]:
        """Return the counts of each hour with any stone, oldest first.

        Args:
            table: distinct stones with their predicted prices, n rows.
            times: when each was priced last, shape (n,).
            priced: how many stones were priced in each hour since 1970, repeated ones as well.
            profile: whose bins to count.
            training_range: field -> (minimum, maximum).
        """
        hours = np.array(sorted(priced), dtype=np.int64)
        spans = _spans(profile)
        width = spans[PRICE.name].stop
        cells = np.zeros(len(hours) * width, dtype=np.int64)
        log_prices = np.zeros(len(hours))
        for start in range(0, len(table), _AT_ONCE):
            some = table[start : start + _AT_ONCE]
            which = np.searchsorted(hours, hours_of(times[start : start + _AT_ONCE]))
            for first, numbers in _columns(some, profile, spans, training_range):
                counted = numbers >= 0
                np.add.at(cells, which[counted] * width + first + numbers[counted], 1)
            log_prices += np.bincount(which, np.log(some.price), len(hours))
        rows = cells.reshape(len(hours), width)
        rows[:, 1] = [priced[hour] for hour in hours.tolist()] - rows[:, 0]
        return tuple(
            cls(
                at=datetime.fromtimestamp(3600 * hour, UTC),
                cells=" ".join(map(str, row.tolist())),
                log_price=log_price,
            )
            for hour, row, log_price in zip(hours.tolist(), rows, log_prices.tolist(), strict=True)
        )

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


def hours_of(times: Times) -> NDArray[np.int64]:
    """Return the hours since 1970 in which *times* are, shape (n,)."""
    return times.astype("M8[h]").astype(np.int64)


def is_outside(
    table: DiamondTable, training_range: Mapping[str, tuple[float, float]]
) -> NDArray[np.bool_]:
    """Return for each stone whether any number is outside *training_range*, shape (n,)."""
    outside = np.zeros(len(table), dtype=bool)
    for each in outside_range(table, training_range).values():
        outside |= each
    return outside


def _columns(
    table: DiamondTable,
    profile: Profile,
    spans: Mapping[str, slice],
    training_range: Mapping[str, tuple[float, float]],
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield for each count its first cell, and in which of its cells each stone is, shape (n,).

    -1: the stone is in none.
    """
    measured = np.any([table.known(name) for name in OPTIONAL], axis=0)
    yield _FIRST.index("stones"), np.zeros(len(table), dtype=np.intp)
    yield _FIRST.index("outside"), np.where(is_outside(table, training_range), 0, -1)
    yield _FIRST.index("four_cs"), np.where(measured, -1, 0)
    for name, span in spans.items():
        yield span.start, profile.bins(name, table.column(name))


def _spans(profile: Profile) -> dict[str, slice]:
    """Return where the bins of each field are among the cells."""
    spans, start = {}, len(_FIRST)
    for name in PROFILED:
        if name in profile.counts:  # a field that was added later is not
            spans[name] = slice(start, start + len(profile.counts[name]))
            start = spans[name].stop
    return spans
