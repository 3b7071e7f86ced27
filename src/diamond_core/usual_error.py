"""How large a model's relative error usually is for a stone, and the quantile of what exceeds it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, Final, Self

import numpy as np

from diamond_core.diamond import GRADE_NUMBERS, GRADES, Diamond
from diamond_core.diamond_table import DiamondTable, Floats

_BINS: Final = 16
_PRIOR_STONES: Final = 30.0
"""A grade's factor is drawn towards 1 as if this many average stones had been added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualError:
    """The usual error as a product: by predicted price, and by cut, color and clarity.

    Attributes:
        log_prices, errors: the usual relative error at each log price, between them linear.
        grade_factors: for cut, color and clarity, a factor for each grade, worst first.
        quantile: what a stone's error divided by its usual one exceeds as seldom as asked.
    """

    log_prices: tuple[float, ...]
    errors: tuple[float, ...]
    grade_factors: Mapping[str, tuple[float, ...]]
    quantile: float

    @classmethod
    def learn(cls, table: DiamondTable, predicted: Floats, coverage: float) -> Self:
        """Learn from prices (USD, shape (n,)) *predicted* for stones that the model had not seen."""
        log_predicted = np.log(predicted)
        errors = np.abs(np.log(table.price) - log_predicted)
        edges = np.unique(np.quantile(log_predicted, np.linspace(0.0, 1.0, _BINS + 1)))
        # The inner edges alone: the least and the most price belong to the outermost bins.
        bins = np.searchsorted(edges[1:-1], log_predicted, side="right")
        members = np.bincount(bins)
        used = members > 0
        centres = np.bincount(bins, log_predicted)[used] / members[used]
        # A floor keeps a model that is perfect on some stones from claiming no error at all.
        floor = max(float(errors.mean()) * 0.05, 1e-6)
        usual = np.maximum(np.bincount(bins, errors)[used] / members[used], floor)
        scale = np.interp(log_predicted, centres, usual)
        factors: dict[str, tuple[float, ...]] = {}
        for field, grades in GRADES.items():
            numbers = table.column(field)
            ratio = errors / scale
            average = float(ratio.mean()) or 1.0
            total = np.bincount(numbers, ratio, len(grades)) + _PRIOR_STONES * average
            count = np.bincount(numbers, minlength=len(grades)) + _PRIOR_STONES
            factor = np.maximum(total / count / average, 0.2)
            factors[field] = tuple(factor.tolist())
            scale = scale * factor[numbers]
        return cls(
            log_prices=tuple(centres.tolist()),
            errors=tuple(usual.tolist()),
            grade_factors=factors,
            quantile=_conformal_quantile(errors / scale, coverage),
        )

    def bound(self, diamond: Diamond, price: float) -> float:
        """Return the relative error that one stone's *price* exceeds as seldom as asked."""
        factors = self.grade_factors
        return (
            self._at(log(price))
            * factors["cut"][GRADE_NUMBERS["cut"][diamond.cut]]
            * factors["color"][GRADE_NUMBERS["color"][diamond.color]]
            * factors["clarity"][GRADE_NUMBERS["clarity"][diamond.clarity]]
            * self.quantile
        )

    def bounds(self, table: DiamondTable, prices: Floats) -> Floats:
        """Return ``bound`` for many stones, shape (n,)."""
        bounds: Floats = self.quantile * np.interp(np.log(prices), self.log_prices, self.errors)
        for field, factors in self.grade_factors.items():
            bounds = bounds * np.array(factors)[table.column(field)]
        return bounds

    def _at(self, log_price: float) -> float:
        """Interpolate as ``np.interp`` does, without its cost for one number."""
        xs, ys = self.log_prices, self.errors
        right = bisect_right(xs, log_price)
        if right == 0:
            return ys[0]
        if right == len(xs):
            return ys[-1]
        left = right - 1
        share = (log_price - xs[left]) / (xs[right] - xs[left])
        return ys[left] + share * (ys[right] - ys[left])

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; ``from_json`` reads them back."""
        return {
            "log_prices": list(self.log_prices),
            "errors": list(self.errors),
            "grade_factors": {field: list(each) for field, each in self.grade_factors.items()},
            "quantile": self.quantile,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read it back.

        Raises:
            KeyError, TypeError: *values* are none.
        """
        return cls(
            log_prices=tuple(values["log_prices"]),
            errors=tuple(values["errors"]),
            grade_factors={name: tuple(each) for name, each in values["grade_factors"].items()},
            quantile=values["quantile"],
        )


def _conformal_quantile(scores: Floats, coverage: float) -> float:
    """Return the ceil((n + 1) coverage)-th smallest score, or the largest if there are too few."""
    rank = int(np.ceil((len(scores) + 1) * coverage))
    ordered = np.sort(scores)
    return max(float(ordered[min(rank, len(scores)) - 1]), 1e-3)
