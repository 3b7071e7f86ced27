"""The difference between two models' answers to the same requests: sums over any number of stones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from diamond_core.monitoring.changes import (
    COLUMNS,
    ChangedErrors,
    Changes,
    ErrorSums,
    change_columns,
    changes_of,
)
from diamond_core.monitoring.priced_stones import PricedStones
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import GRADES

CARATS: Final = (0.5, 1.0, 1.5, 2.0)
"""Where the weight bands meet; a stone of exactly such a weight is in the upper band."""
WEIGHT: Final = "carat"
"""The ``by`` of groups by weight."""
STEP: Final = 0.001
"""The width of the intervals of ``Replay.histogram``."""

_LARGEST: Final = 20
_HIGHEST: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPrice:
    """A stone that was priced, and the price that the replayed model gives it.

    Attributes:
        id: the id of the prediction.
        priced_at: when it was priced, in UTC.
        old, new: both prices in USD.
        change: new / old - 1.
    """

    id: str
    priced_at: datetime
    diamond: Diamond
    old: float
    new: float
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedGroup(Changes):
    """The changes in one group of stones.

    Attributes:
        by: 'carat', 'cut', 'color', ...
        name: the weight band or the grade.
    """

    by: str
    name: str


@dataclass(frozen=True, slots=True)
class ChangedRanges:
    """The price ranges before and after: the mean of (high - low) / price, and who differs.

    Attributes:
        old, new: the mean relative widths.
        narrower, wider: the shares of stones whose relative width changes by more than 1 %.
    """

    old: float
    new: float
    narrower: float
    wider: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Changes):
    """What a model would have answered, compared with other answers to the same requests.

    Attributes:
        model: the id of the model.
        against: the id of the model it is compared with; '' for the recorded answers.
        since, until: the period of the requests, in UTC; None: until now.
        exchanges: how many requests were replayed.
        ranges: None without stones.
        errors: None if no paid price is known.
        groups: the changes by weight and by grade, worst first, without empty groups.
        largest: up to twenty different stones with the largest relative changes, rounded to a
            thousandth; of equal changes those of the largest amounts.
        histogram: (low, high, stones): the number of stones whose change is from *low* to below
            *high*, in intervals as wide as ``STEP``, lowest first, without empty ones. What is
            above the highest interval is in it.
    """

    model: str
    against: str
    since: datetime
    until: datetime | None
    exchanges: int
    ranges: ChangedRanges | None
    errors: ChangedErrors | None
    groups: Sequence[ChangedGroup]
    largest: Sequence[ChangedPrice]
    histogram: Sequence[tuple[float, float, int]]


class Answers(Protocol):
    """Prices and the ends of their ranges in USD, shape (n,)."""

    @property
    def prices(self) -> Floats: ...
    @property
    def lows(self) -> Floats: ...
    @property
    def highs(self) -> Floats: ...


class ReplaySums:
    """Adds up changes; the memory does not depend on the number of stones.

    Args:
        paid: the paid price in USD by the id of a prediction.
    """

    def __init__(self, paid: Mapping[str, float]) -> None:
        self._exchanges = 0
        self._last = ""
        self._groups = {by: np.zeros((COLUMNS, len(names))) for by, names in _names()}
        self._total = np.zeros(COLUMNS)
        self._widths = np.zeros(4)
        self._errors = ErrorSums(paid)
        self._histogram = np.zeros(round(1.0 / STEP) + _HIGHEST + 1, dtype=np.int64)
        self._largest: list[ChangedPrice] = []

    def add(self, stones: PricedStones, old: Answers, new: Answers) -> None:
        """Add stones, in the order of their exchanges, with both answers."""
        values = np.stack(change_columns(old.prices, new.prices))
        changed, change = values[1] > 0.0, values[3]
        self._total += values.sum(axis=1)
        for by, numbers in _numbers(stones.table):
            sums = self._groups[by]
            count = sums.shape[1]
            known = numbers < count
            sums += [np.bincount(numbers[known], each[known], count) for each in values]
        self._add_widths(_widths(old), _widths(new))
        self._errors.add(stones.ids.tolist(), old.prices, new.prices)
        # a change of -5 % is in the interval that begins there, whatever rounding makes of it
        at = np.floor((change + 1.0) / STEP + 1e-6).astype(np.int64)
        last = len(self._histogram) - 1
        self._histogram += np.bincount(np.clip(at, 0, last), minlength=last + 1)
        self._add_exchanges(stones)
        self._add_largest(stones[changed], old.prices[changed], new.prices[changed])

    def _add_widths(self, old: Floats, new: Floats) -> None:
        ratio = new / old
        self._widths += (old.sum(), new.sum(), (ratio < 0.99).sum(), (ratio > 1.01).sum())

    def _add_exchanges(self, stones: PricedStones) -> None:
        for id in stones.ids.tolist():
            exchange = id.partition("-")[0]
            self._exchanges += exchange != self._last
            self._last = exchange

    def _add_largest(self, stones: PricedStones, old: Floats, new: Floats) -> None:
        change = new / old - 1.0
        order = np.lexsort((-np.abs(new - old), -np.round(np.abs(change), 3)))
        hashes = stones.table.row_hashes()
        _, first = np.unique(hashes[order], return_index=True)
        order = order[np.sort(first)][:_LARGEST]
        some = stones[order]
        found = [
            ChangedPrice(
                id=id, priced_at=at.replace(tzinfo=UTC), diamond=stone, old=a, new=b, change=c
            )
            for id, at, stone, a, b, c in zip(
                some.ids.tolist(),
                some.times.tolist(),
                some.table,
                old[order].tolist(),
                new[order].tolist(),
                change[order].tolist(),
                strict=True,
            )
        ]
        best = {each.diamond: each for each in sorted([*self._largest, *found], key=_rank)[::-1]}
        self._largest = sorted(best.values(), key=_rank)[:_LARGEST]

    def result(
        self, *, model: str, against: str, since: datetime, until: datetime | None
    ) -> Replay:
        """Return what was added."""
        stones = self._total[0]
        at = np.flatnonzero(self._histogram)
        lows = (at * STEP - 1.0).round(3).tolist()
        highs = ((at + 1) * STEP - 1.0).round(3).tolist()
        return Replay(
            model=model,
            against=against,
            since=since,
            until=until,
            exchanges=self._exchanges,
            ranges=ChangedRanges(*(self._widths / stones).tolist()) if stones else None,
            errors=self._errors.result(),
            groups=[
                ChangedGroup(by=by, name=name, **changes_of(sums))
                for by, names in _names()
                for name, sums in zip(names, self._groups[by].T, strict=True)
                if sums[0]
            ],
            largest=self._largest,
            histogram=list(zip(lows, highs, self._histogram[at].tolist(), strict=True)),
            **changes_of(self._total),
        )


def _widths(answers: Answers) -> Floats:
    widths: Floats = (answers.highs - answers.lows) / answers.prices
    return widths


def _rank(each: ChangedPrice) -> tuple[float, float, str]:
    """Return what sorts changes, the largest first, and of equal ones the newest first."""
    return -round(abs(each.change), 3), -abs(each.new - each.old), each.id


def _names() -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the names of the groups by weight, and by each graded field."""
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(CARATS)]
    yield WEIGHT, [f"under {CARATS[0]:g}", *inner, f"{CARATS[-1]:g} and more"]
    for field in GRADES.values():
        yield field.name, [grade.value for grade in field.grades]


def _numbers(table: DiamondTable) -> Iterator[tuple[str, NDArray[np.integer]]]:
    """Yield the numbers of the stones' groups, shape (n,); an unknown grade has a higher one."""
    yield WEIGHT, np.searchsorted(CARATS, table.carat, side="right")
    for name in GRADES:
        yield name, table.column(name)
