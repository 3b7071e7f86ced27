"""The columns of the linear models: a weight's terms, grade dummies, measurements, products.

A stone has one cut, one color and one clarity. So among the stones of one *group*, which share these
grades, every column of every design is a linear function of the same few *terms* of a stone: one, its
weight in several forms, and its measurements.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from diamond_adapters.families.features import POSITIONS
from diamond_core.stones.fields import Clarity, Color, Cut
from diamond_core.stones.trade_weights import TRADE_WEIGHTS

Matrix = NDArray[np.float64]

_BETWEEN: Final = 1.7
KNOTS: Final = tuple(sorted({each for each in TRADE_WEIGHTS if 0.4 <= each <= 2.5} | {_BETWEEN}))
"""Weights (carats) at which the slope of the price changes: the trade's own that have many stones on
both sides, and one where two of them are far apart."""

_GRADE_COUNTS: Final = {"cut": len(Cut), "color": len(Color), "clarity": len(Clarity)}

GROUPS: Final = prod(_GRADE_COUNTS.values())
TERMS: Final = 1 + 1 + 1 + len(KNOTS) + 3
"""The number of groups, and of terms: one, carat, log carat, its hinges, the measurements."""
_WEIGHT_TERMS: Final = {
    "carat": slice(1, 2),
    "log": slice(2, 3),
    "spline": slice(2, 3 + len(KNOTS)),
}
_MEASUREMENT_TERMS: Final = slice(TERMS - 3, TERMS)


class LinearDesign(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """What the columns of a linear model are, for features (n, 9) in the order of ``FEATURES``.

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

    def fit(self, features: NDArray[Any]) -> Self:
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

    def with_columns(self, weight: str, interactions: bool) -> LinearDesign:
        """Return a design of other columns with the same values for unknown measurements."""
        design = LinearDesign(weight, interactions)
        design.medians_, design.density_ = self.medians_, self.density_
        return design

    def terms(self, features: NDArray[Any]) -> Matrix:
        """Return the terms of n stones, shape (n, TERMS): the same for every design."""
        features = np.asarray(features, dtype=np.float64)
        terms = np.empty((len(features), TERMS))
        terms[:, 0] = 1.0
        terms[:, 1] = carat = features[:, POSITIONS["carat"]]
        terms[:, _WEIGHT_TERMS["spline"]] = _spline(carat)
        terms[:, _MEASUREMENT_TERMS] = self.measurement_terms(features)
        return terms

    def columns(self) -> Matrix:
        """Return each column as coefficients of the terms, by group, shape (GROUPS, TERMS, p).

        A stone's columns are its terms times the matrix of its group.
        """
        units = np.tile(np.eye(TERMS), (GROUPS, 1))
        weight = units[:, _WEIGHT_TERMS[self.weight]]
        numbers = np.indices(tuple(_GRADE_COUNTS.values())).reshape(len(_GRADE_COUNTS), -1)
        one_hot = [
            np.repeat(of_group[:, np.newaxis] == np.arange(1, count), TERMS, axis=0)
            for of_group, count in zip(numbers, _GRADE_COUNTS.values(), strict=True)
        ]
        grades = np.hstack(one_hot).astype(np.float64)
        parts = [weight, grades * units[:, :1], units[:, _MEASUREMENT_TERMS]]
        if self.interactions:
            parts += [weight[:, [term]] * grades for term in range(weight.shape[1])]
            parts += [
                one_hot[1][:, [each]] * one_hot[2] * units[:, :1] for each in range(len(Color) - 1)
            ]
        return np.hstack(parts).reshape(GROUPS, TERMS, -1)

    def weight_terms(self, carat: Matrix) -> Matrix:
        """Return the terms of the weight alone, shape (n, 1) or (n, 1 + knots)."""
        if self.weight == "carat":
            return carat[:, np.newaxis]
        spline = _spline(carat)
        return spline[:, :1] if self.weight == "log" else spline

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


def groups(features: NDArray[Any]) -> NDArray[np.intp]:
    """Return the number of each stone's group, shape (n,)."""
    number = np.zeros(len(features), dtype=np.intp)
    for name, count in _GRADE_COUNTS.items():
        number = number * count + features[:, POSITIONS[name]].astype(np.intp)
    return number


def _spline(carat: Matrix) -> Matrix:
    """Return log carat and its hinges at the knots, shape (n, 1 + knots)."""
    logs = np.log(carat)[:, np.newaxis]
    return np.hstack([logs, np.maximum(logs - np.log(KNOTS), 0.0)])


def _median(values: NDArray[Any], default: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else default
