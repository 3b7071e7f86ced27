"""The search for the best linear model: every candidate's cross-validated error, at low cost.

A least-squares fit needs only sums of products. These add up over folds, so one pass over each
fold is enough for all candidates: the total minus a fold's sums are the sums of the rows outside
the fold. One eigendecomposition then solves least squares and every ridge penalty, and yields p
rows that replace all n rows in the lasso.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear.design import MINIMUM_DEVIATION, LinearDesign, Matrix
from diamond_adapters.families.linear.ordered import OrderedLinear, UnscaledCoefficients
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import axis_weights
from diamond_adapters.families.weights import Weights, at
from diamond_core.ports import Progress
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.holdout import folds

FOLDS: Final = 5
LASSO_ITERATIONS: Final = 500
RIDGE: Final = (1e-5, 1e-4, 1e-3, 1e-2)
LASSO: Final = (1e-3, 3e-4, 1e-4)
"""Penalties for standardized columns and prices: ridge's per row, lasso's as in scikit-learn."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One linear model that could be fitted."""

    log_price: bool
    weight: str
    interactions: bool
    solver: str
    penalty: float = 0.0

    @property
    def name(self) -> str:
        parts = [
            "log price" if self.log_price else "price",
            {"carat": "carat", "log": "log carat", "spline": "spline"}[self.weight],
            "interactions" if self.interactions else "main effects",
            self.solver if not self.penalty else f"{self.solver} {self.penalty:g}",
        ]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its cross-validated mean absolute error in USD."""

    candidate: Candidate
    mae: float


DEFAULT: Final = Candidate(
    log_price=True, weight="spline", interactions=True, solver="ridge", penalty=1e-4
)
"""The model without a search: the best or nearly the best on every data set that was tried."""


def search(
    table: DiamondTable,
    weights: Weights,
    *,
    seed: int,
    progress: Progress,
    only: Candidate | None = None,
) -> list[Scored]:
    """Return every candidate (or *only* one) with its weighted error, the lowest error first."""
    scored: list[Scored] = []
    designs = [(w, i) for w in ("carat", "log", "spline") for i in (False, True)]
    if only is not None:
        designs = [(only.weight, only.interactions)]
    for number, (weight, interactions) in enumerate(designs):
        progress("comparing linear models", number / (len(designs) + 1))
        candidates = _candidates(weight, interactions) if only is None else [only]
        validation = CrossValidation(table, weights, weight, interactions, seed)
        prices = validation.out_of_fold(candidates)
        errors = np.abs(prices - table.price[:, np.newaxis])
        means = np.average(errors, axis=0, weights=weights)
        scored += [Scored(c, float(mae)) for c, mae in zip(candidates, means, strict=True)]
    return sorted(scored, key=lambda each: each.mae)


def out_of_fold(
    table: DiamondTable, weights: Weights, best: Candidate, *, seed: int
) -> tuple[Matrix, Matrix]:
    """Return the ordered out-of-fold prices of one candidate: all known, and from the 4 Cs alone."""
    validation = CrossValidation(table, weights, best.weight, best.interactions, seed)
    return validation.ordered_out_of_fold(best, table, weights)


@contextmanager
def tolerating_slow_lasso() -> Iterator[None]:
    """Let a lasso end early: it is scored by its error like any other candidate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _candidates(weight: str, interactions: bool) -> list[Candidate]:
    penalties = [("least squares", 0.0)]
    penalties += [("ridge", penalty) for penalty in RIDGE]
    penalties += [("lasso", penalty) for penalty in LASSO]
    return [
        Candidate(log_price, weight, interactions, solver, penalty)
        for log_price in (False, True)
        for solver, penalty in penalties
    ]


class CrossValidation:
    """The columns of one design, and for each fold the sums for the fits outside it."""

    def __init__(
        self, table: DiamondTable, weights: Weights, weight: str, interactions: bool, seed: int
    ) -> None:
        features = table.features(FEATURES)
        self._design = LinearDesign(weight, interactions).fit(features)
        self._columns = self._design.transform(features)
        self._rule = PriceRule.of(table.price)
        self._fold = folds(table, FOLDS, seed)
        targets = np.stack([table.price, np.log(table.price)], axis=1)
        self._sums = [
            _Sums.of(self._columns[rows], targets[rows], at(weights, rows)) for rows in self._rows()
        ]
        self._total = _Sums.add(self._sums)

    def _rows(self) -> Iterator[NDArray[np.bool_]]:
        return (self._fold == number for number in range(FOLDS))

    def out_of_fold(self, candidates: Sequence[Candidate]) -> Matrix:
        """Return the out-of-fold prices, not in order yet, shape (n, candidates)."""
        prices = np.empty((len(self._fold), len(candidates)))
        logs = np.array([candidate.log_price for candidate in candidates])
        for rows, sums in zip(self._rows(), self._sums, strict=True):
            intercepts, coefficients = _fit(self._total.without(sums), candidates)
            values = self._columns[rows] @ coefficients + intercepts
            for log_price in (False, True):
                of_kind = logs == log_price
                values[:, of_kind] = self._rule.to_usd(values[:, of_kind], log_price=log_price)
            prices[rows] = values
        return prices

    def ordered_out_of_fold(
        self, best: Candidate, table: DiamondTable, weights: Weights
    ) -> tuple[Matrix, Matrix]:
        """Return ordered prices (n,): all of the table known, and from the 4 Cs alone."""
        features = [each.features(FEATURES) for each in (table, table.four_cs())]
        known, four_cs = (np.empty(len(table)) for _ in features)
        for rows, sums in zip(self._rows(), self._sums, strict=True):
            (intercept,), coefficients = _fit(self._total.without(sums), [best])
            model = OrderedLinear.of(
                self._design,
                UnscaledCoefficients.of(self._design, float(intercept), coefficients[:, 0]),
                PriceRule.of(table.price[~rows]),
                axis_weights(features[0][~rows], at(weights, ~rows)),
                log_price=best.log_price,
            )
            known[rows], four_cs[rows] = (model.price(each[rows]) for each in features)
        return known, four_cs


@dataclass(frozen=True, slots=True)
class _Sums:
    """Weighted sums over rows: of one, of columns and targets, and of their products."""

    count: float
    sums: Matrix
    products: Matrix

    @classmethod
    def of(cls, columns: Matrix, targets: Matrix, weights: Weights) -> Self:
        both = np.hstack([columns, targets])
        if weights is None:
            return cls(len(both), both.sum(axis=0), both.T @ both)
        sums = weights @ both
        both *= np.sqrt(weights)[:, np.newaxis]
        return cls(float(weights.sum()), sums, both.T @ both)

    @classmethod
    def add(cls, parts: Sequence[_Sums]) -> Self:
        return cls(
            sum(part.count for part in parts),
            np.sum([part.sums for part in parts], axis=0),
            np.sum([part.products for part in parts], axis=0),
        )

    def without(self, other: _Sums) -> _Sums:
        return _Sums(
            self.count - other.count, self.sums - other.sums, self.products - other.products
        )


def _fit(sums: _Sums, candidates: Sequence[Candidate]) -> tuple[Matrix, Matrix]:
    """Return intercepts (m,) and coefficients (p, m) of all candidates from *sums* alone."""
    means = sums.sums / sums.count
    covariance = sums.products / sums.count - np.outer(means, means)
    deviations = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    deviations[:-2] = np.maximum(deviations[:-2], MINIMUM_DEVIATION)
    deviations[-2:] = np.maximum(deviations[-2:], 1e-9)  # all prices can be the same
    correlation = covariance / np.outer(deviations, deviations)
    inner, outer = correlation[:-2, :-2], correlation[:-2, -2:]
    values, vectors = np.linalg.eigh(inner)
    kept = values > values[-1] * 1e-12
    values, vectors = values[kept], vectors[:, kept]
    rotated = vectors.T @ outer
    coefficients = np.empty((len(inner), len(candidates)))
    for target in (0, 1):
        chosen = [i for i, each in enumerate(candidates) if each.log_price == bool(target)]
        # These rows have the same inner products as all n rows, divided by n.
        stand_in = np.sqrt(values)[:, np.newaxis] * vectors.T
        response = rotated[:, target] / np.sqrt(values)
        lassos = [i for i in chosen if candidates[i].solver == "lasso"]
        if lassos:
            penalties = [candidates[i].penalty / len(stand_in) for i in lassos]
            with tolerating_slow_lasso():
                _, path, _ = lasso_path(
                    stand_in, response, alphas=penalties, tol=1e-4, max_iter=LASSO_ITERATIONS
                )
            coefficients[:, lassos] = path
        for i in chosen:
            if candidates[i].solver != "lasso":
                shrunk = rotated[:, target] / (values + candidates[i].penalty)
                coefficients[:, i] = vectors @ shrunk
    scales = np.array([deviations[-1] if each.log_price else deviations[-2] for each in candidates])
    coefficients *= scales / deviations[:-2, np.newaxis]
    centers = np.array([means[-1] if each.log_price else means[-2] for each in candidates])
    return centers - means[:-2] @ coefficients, coefficients
