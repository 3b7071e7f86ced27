"""The error scale: a model's usual relative error for a stone, and the bound derived from it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Final, Self

import numpy as np

from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import GRADED, GRADES
from diamond_core.stones.holdout import folds

_BINS: Final = 16
_PRIOR_STONES: Final = 30.0
"""A grade's factor is shrunk toward 1 as if this many average stones were added."""
_MINIMUM_FACTOR: Final = 0.2
_FOLDS: Final = 10
_FOLDS_OF_MANY: Final = 2
MANY_STONES: Final = 200_000
"""From so many stones on, a scale hardly knows a single stone, and a few folds are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorScale:
    """The usual relative error as a product: by predicted price, and by each grade.

    Attributes:
        log_prices, errors: the usual relative error at each log price, linear in between.
        grade_factors: for each graded field a factor per grade, worst first.
        quantile: the coverage quantile of the scaled errors (a stone's error / its usual one).
    """

    log_prices: tuple[float, ...]
    errors: tuple[float, ...]
    grade_factors: Mapping[str, tuple[float, ...]]
    quantile: float

    @classmethod
    def learn(
        cls,
        table: DiamondTable,
        predicted: Floats,
        coverage: float,
        growth: Floats | float = 0.0,
    ) -> Self:
        """Learn from prices (USD, shape (n,)) *predicted* by models not trained on the stones.

        *growth* is the part of each stone's relative error that its range allows for already.

        A stone's score uses a scale that was learned from the stones of the other folds: with a
        scale that knows the stone, scores are too small, and the ranges of few stones too narrow
        (cross-conformal prediction: Vovk, 2015, Annals of Mathematics and AI 74).
        """
        errors = np.abs(np.log(table.price) - np.log(predicted))
        rest = np.maximum(errors - growth, 0.0)
        scores = np.empty(len(table))
        assigned = folds(table, _FOLDS if len(table) < MANY_STONES else _FOLDS_OF_MANY, seed=0)
        for number in np.unique(assigned).tolist():
            rows = assigned == number
            known = rows if rows.all() else ~rows  # all equal stones are in one fold
            others = cls._usual(table[known], predicted[known], errors[known])
            scores[rows] = rest[rows] / others.bounds(table[rows], predicted[rows])
        return replace(
            cls._usual(table, predicted, errors), quantile=_conformal_quantile(scores, coverage)
        )

    @classmethod
    def _usual(cls, table: DiamondTable, predicted: Floats, errors: Floats) -> Self:
        """Return the usual relative errors, with the quantile 1."""
        log_predicted = np.log(predicted)
        edges = np.unique(np.quantile(log_predicted, np.linspace(0.0, 1.0, _BINS + 1)))
        # Only the inner edges: the lowest and the highest price belong to the outermost bins.
        bins = np.searchsorted(edges[1:-1], log_predicted, side="right")
        members = np.bincount(bins)
        used = members > 0
        centers = np.bincount(bins, log_predicted)[used] / members[used]
        # The floor: a model that is perfect on some stones must not get an error of zero.
        floor = max(float(errors.mean()) * 0.05, 1e-6)
        usual = np.maximum(np.bincount(bins, errors)[used] / members[used], floor)
        scale = np.interp(log_predicted, centers, usual)
        factors: dict[str, tuple[float, ...]] = {}
        for name in GRADED:
            numbers, grades = table.column(name), GRADES[name].grades
            ratio = errors / scale
            average = float(ratio.mean()) or 1.0
            total = np.bincount(numbers, ratio, len(grades)) + _PRIOR_STONES * average
            count = np.bincount(numbers, minlength=len(grades)) + _PRIOR_STONES
            factor = np.maximum(total / count / average, _MINIMUM_FACTOR)
            factors[name] = tuple(factor.tolist())
            scale = scale * factor[numbers]
        return cls(
            log_prices=tuple(centers.tolist()),
            errors=tuple(usual.tolist()),
            grade_factors=factors,
            quantile=1.0,
        )

    def bound(self, diamond: Diamond, price: float) -> float:
        """Return half the log-scale width of the range around one stone's *price* (USD)."""
        bound = self._at(log(price)) * self.quantile
        for name, factors in self.grade_factors.items():
            bound *= factors[GRADES[name].numbers[getattr(diamond, name)]]
        return bound

    def bounds(self, table: DiamondTable, prices: Floats) -> Floats:
        """Return ``bound`` for many stones, shape (n,)."""
        bounds: Floats = self.quantile * np.interp(np.log(prices), self.log_prices, self.errors)
        for name, factors in self.grade_factors.items():
            bounds = bounds * np.array(factors)[table.column(name)]
        return bounds

    def _at(self, log_price: float) -> float:
        """Interpolate like ``np.interp``, but faster for a single number."""
        xs, ys = self.log_prices, self.errors
        right = bisect_right(xs, log_price)
        if right == 0:
            return ys[0]
        if right == len(xs):
            return ys[-1]
        left = right - 1
        share = (log_price - xs[left]) / (xs[right] - xs[left])
        return ys[left] + share * (ys[right] - ys[left])


def _conformal_quantile(scores: Floats, coverage: float) -> float:
    """Return the ceil((n + 1) coverage)-th smallest score, or the largest if there are too few."""
    rank = int(np.ceil((len(scores) + 1) * coverage))
    ordered = np.sort(scores)
    return max(float(ordered[min(rank, len(scores)) - 1]), 1e-3)
