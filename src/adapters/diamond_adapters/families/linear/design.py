"""The columns of the linear models: a weight's terms, grade dummies, measurements, products."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from diamond_adapters.families.features import POSITIONS
from diamond_adapters.families.weights import Weights
from diamond_core.stones.fields import Clarity, Color, Cut
from diamond_core.stones.trade_weights import TRADE_WEIGHTS

Matrix = NDArray[np.float64]

MINIMUM_DEVIATION: Final = 0.2

_BETWEEN: Final = 1.7
KNOTS: Final = tuple(sorted({each for each in TRADE_WEIGHTS if 0.4 <= each <= 2.5} | {_BETWEEN}))
"""Weights (carats) at which the slope of the price changes: the trade's own that have many stones on
both sides, and one where two of them are far apart."""

_GRADE_COUNTS: Final = {"cut": len(Cut), "color": len(Color), "clarity": len(Clarity)}


class LinearDesign(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Turn features (n, 9), in the order of ``FEATURES``, into a linear model's columns, float64.

    Parameters:
        weight: 'carat', 'log' (log carat) or 'spline' (log carat with a hinge at each knot).
        interactions: add weight terms times grades, and color times clarity.

    Unknown measurements are imputed: depth and table are the training median of the stone's
    cut; length and width follow from the weight by the geometry of a round brilliant,
    carat = k x y z with z = depth (x + y) / 200, where k is the training median (about 0.0061
    carats per cubic millimeter). The medians are unweighted.

    Attributes after fitting:
        medians_: (depth, table) for each cut, shape (5, 2).
        density_: k, in carats per cubic millimeter.
    """

    def __init__(self, weight: str = "spline", interactions: bool = True) -> None:
        self.weight = weight
        self.interactions = interactions

    def fit(self, features: NDArray[Any], prices: object = None) -> Self:
        """Learn the values for unknown measurements."""
        carat, cut, depth, table, x, y, z = (
            features[:, POSITIONS[name]]
            for name in ("carat", "cut", "depth", "table", "x", "y", "z")
        )
        everywhere = [_median(depth, 61.8), _median(table, 57.0)]
        self.medians_ = np.empty((len(Cut), 2))
        for grade in range(len(Cut)):
            of_cut = cut == grade
            self.medians_[grade] = [
                _median(column[of_cut], default)
                for column, default in zip((depth, table), everywhere, strict=True)
            ]
        self.density_ = _median(carat / (x * y * z), 0.0061)
        return self

    def transform(self, features: NDArray[Any]) -> Matrix:
        """Return the columns, shape (n, p)."""
        features = np.asarray(features, dtype=np.float64)
        weight = self.weight_terms(features[:, POSITIONS["carat"]])
        one_hot = {
            name: features[:, [POSITIONS[name]]] == np.arange(1, count)
            for name, count in _GRADE_COUNTS.items()
        }
        grades = np.hstack(list(one_hot.values())).astype(np.float64)
        parts = [weight, grades, self.measurement_terms(features)]
        if self.interactions:
            parts += [weight[:, [term]] * grades for term in range(weight.shape[1])]
            parts += [
                one_hot["color"][:, [color]] * one_hot["clarity"].astype(np.float64)
                for color in range(len(Color) - 1)
            ]
        return np.hstack(parts)

    def weight_terms(self, carat: Matrix) -> Matrix:
        """Return the terms of the weight alone, shape (n, 1) or (n, 1 + knots)."""
        if self.weight == "carat":
            return carat[:, np.newaxis]
        logs = np.log(carat)[:, np.newaxis]
        if self.weight == "log":
            return logs
        return np.hstack([logs, np.maximum(logs - np.log(KNOTS), 0.0)])

    def measurement_terms(self, features: Matrix) -> Matrix:
        """Return how depth, table and spread differ from the assumed ones, 0 where unknown.

        The spread is the log of the mean diameter over that of a round brilliant of this
        weight and depth.
        """
        carat, cut, depth, table, x, y = (
            features[:, POSITIONS[name]] for name in ("carat", "cut", "depth", "table", "x", "y")
        )
        assumed = self.medians_[cut.astype(int)]
        depth = np.where(np.isnan(depth), assumed[:, 0], depth)
        cube = carat / (self.density_ * depth / 100.0)
        spread = np.log(x * y) / 2.0 - np.log(cube) / 3.0
        terms = np.stack([depth - assumed[:, 0], table - assumed[:, 1], spread], axis=1)
        return np.where(np.isnan(terms), 0.0, terms)


class FlooredScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Center columns and divide them by their standard deviation, or by the floor if it is larger.

    Without a floor, a column that is nonzero for only a few stones would count as much as any
    other, and a penalty would hardly shrink the extreme slope of those few stones.
    """

    def fit(self, columns: Matrix, prices: object = None, sample_weight: Weights = None) -> Self:
        """Learn the columns' weighted means and deviations."""
        self.mean_, deviations = mean_and_deviation(columns, sample_weight)
        self.scale_ = np.maximum(deviations, MINIMUM_DEVIATION)
        return self

    def transform(self, columns: Matrix) -> Matrix:
        """Return the scaled columns, shape (n, p)."""
        scaled: Matrix = (columns - self.mean_) / self.scale_
        return scaled


def mean_and_deviation(values: Matrix, weights: Weights) -> tuple[Any, Any]:
    """Return the weighted means and standard deviations along the first axis."""
    mean = np.average(values, axis=0, weights=weights)
    squares = values - mean
    np.square(squares, out=squares)  # in place: the columns can be large
    return mean, np.sqrt(np.average(squares, axis=0, weights=weights))


def _median(values: NDArray[Any], default: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else default
