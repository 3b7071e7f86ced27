"""Price ranges that hold the true price with a stated probability: split-conformal prediction.

The relative error of a stone the model has not seen is |log(price / predicted)|. Divided by how
large it usually is for such stones, it is a score; the ``coverage`` quantile of the scores of
out-of-fold predictions, times the usual error of a new stone, is half the width of its range
(Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, 2018, section 5.2: locally weighted conformal
inference). The usual error is learned as a product: by predicted price (piecewise linear), by
cut, color and clarity, and by whether the measurements are known. Nothing can be learned about
stones heavier or lighter than all known ones: there the range grows by the full factor between
the stone's weight and the nearest known one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.diamond import GRADE_NUMBERS, GRADES, Diamond
from diamond_core.diamond_table import DiamondTable, Floats

COVERAGE: Final = 0.9
_BINS: Final = 16
_PRIOR_STONES: Final = 30.0
"""A grade's factor is drawn towards 1 as if this many average stones had been added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRanges:
    """How wide a price range is for a stone and its predicted price.

    Attributes:
        coverage: the share of true prices that the ranges are made to hold.
        log_prices, usual_errors: the usual relative error at each log price, between them linear.
        grade_factors: for cut, color and clarity, a factor for each grade, worst first.
        unmeasured_factor: a factor for stones of which some measurement is unknown.
        carats: the least and most weight that the errors were learned from.
        quantile: the conformal quantile of the scores.
    """

    coverage: float
    log_prices: tuple[float, ...]
    usual_errors: tuple[float, ...]
    grade_factors: Mapping[str, tuple[float, ...]]
    unmeasured_factor: float
    carats: tuple[float, float]
    quantile: float

    @classmethod
    def calibrate(
        cls,
        table: DiamondTable,
        out_of_fold: Floats,
        out_of_fold_four_cs: Floats,
        *,
        coverage: float = COVERAGE,
    ) -> Self:
        """Learn the ranges from prices (USD, shape (n,)) predicted out of fold.

        *out_of_fold_four_cs* are those predicted from carat, cut, color and clarity alone.
        """
        log_predicted = np.log(out_of_fold)
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
        errors_four_cs = np.abs(np.log(table.price) - np.log(out_of_fold_four_cs))
        quantile = _conformal_quantile(errors / scale, coverage)
        unmeasured = _conformal_quantile(errors_four_cs / scale, coverage)
        return cls(
            coverage=coverage,
            log_prices=tuple(centres.tolist()),
            usual_errors=tuple(usual.tolist()),
            grade_factors=factors,
            unmeasured_factor=max(unmeasured / quantile, 1.0),
            carats=(float(table.carat.min()), float(table.carat.max())),
            quantile=quantile,
        )

    def of(self, diamond: Diamond, price: float) -> tuple[float, float]:
        """Return the low and high end, in USD, of the range of one stone's *price*."""
        factors = self.grade_factors
        half = (
            self._usual_error(log(price))
            * factors["cut"][GRADE_NUMBERS["cut"][diamond.cut]]
            * factors["color"][GRADE_NUMBERS["color"][diamond.color]]
            * factors["clarity"][GRADE_NUMBERS["clarity"][diamond.clarity]]
            * self.quantile
        )
        if None in (diamond.depth, diamond.table, diamond.x, diamond.y, diamond.z):
            half *= self.unmeasured_factor
        least, most = self.carats
        if not least <= diamond.carat <= most:
            half += log(least / diamond.carat if diamond.carat < least else diamond.carat / most)
        width = exp(half)
        return price / width, price * width

    def of_table(self, table: DiamondTable, prices: Floats) -> tuple[Floats, Floats]:
        """Return the low and high ends, in USD and of shape (n,), for many stones."""
        half = self.quantile * np.interp(np.log(prices), self.log_prices, self.usual_errors)
        unmeasured = np.zeros(len(table), dtype=bool)
        for name in ("depth", "table", "x", "y", "z"):
            unmeasured |= np.isnan(table.column(name))
        for field, factors in self.grade_factors.items():
            half = half * np.array(factors)[table.column(field)]
        half = np.where(unmeasured, half * self.unmeasured_factor, half)
        nearest = np.clip(table.carat, *self.carats)
        half += np.abs(np.log(table.carat / nearest))
        width = np.exp(half)
        return prices / width, prices * width

    def holds(self, table: DiamondTable, prices: Floats) -> NDArray[np.bool_]:
        """Tell for each stone whether its own price lies in the range of *prices*, shape (n,)."""
        low, high = self.of_table(table, prices)
        held: NDArray[np.bool_] = (low <= table.price) & (table.price <= high)
        return held

    def _usual_error(self, log_price: float) -> float:
        """Interpolate as ``np.interp`` does, without its cost for one number."""
        xs, ys = self.log_prices, self.usual_errors
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
            "coverage": self.coverage,
            "log_prices": list(self.log_prices),
            "usual_errors": list(self.usual_errors),
            "grade_factors": {field: list(each) for field, each in self.grade_factors.items()},
            "unmeasured_factor": self.unmeasured_factor,
            "carats": list(self.carats),
            "quantile": self.quantile,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read price ranges back.

        Raises:
            KeyError, TypeError: *values* are none.
        """
        factors = {field: tuple(each) for field, each in values["grade_factors"].items()}
        return cls(
            **{
                **values,
                "log_prices": tuple(values["log_prices"]),
                "usual_errors": tuple(values["usual_errors"]),
                "grade_factors": factors,
                "carats": (values["carats"][0], values["carats"][1]),
            }
        )


def _conformal_quantile(scores: Floats, coverage: float) -> float:
    """Return the ceil((n + 1) coverage)-th smallest score, or the largest if there are too few."""
    rank = int(np.ceil((len(scores) + 1) * coverage))
    ordered = np.sort(scores)
    return max(float(ordered[min(rank, len(scores)) - 1]), 1e-3)
