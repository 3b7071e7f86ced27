"""Cross-validation of boosted trees: each fold's rows are binned once and serve every trial."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from diamond_adapters.families.boosted_price import (
    Parameters,
    booster_settings,
    fit_linear,
    training_data,
    tree_features,
    without_measurements,
)
from diamond_adapters.families.linear_design import Matrix
from diamond_adapters.families.linear_search import price_bounds
from diamond_core.diamond_table import DiamondTable
from diamond_core.splitting import folds

FOLDS: Final = 5
MOST_ROUNDS: Final = 1000
"""More trees would cost more time per price than they are worth."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Fold:
    """One fold: the rows outside it to learn from, and its own stones to predict."""

    training: xgb.QuantileDMatrix
    held: xgb.QuantileDMatrix
    held_four_cs: NDArray[np.float32]
    linear: Matrix
    linear_four_cs: Matrix
    prices: Matrix
    bounds: tuple[float, float]
    rows: NDArray[np.bool_]

    @classmethod
    def of(cls, table: DiamondTable, rows: NDArray[np.bool_], twice: bool, bins: int) -> Self:
        outside, inside = table[~rows], table[rows]
        features = inside.features()
        four_cs = without_measurements(features)
        linear = fit_linear(outside.features(), outside.price)
        training = training_data(outside.features(), outside.price, linear, twice=twice, bins=bins)
        said = linear.pipeline_.predict(features)
        held = xgb.QuantileDMatrix(
            tree_features(features),
            label=np.log(inside.price) - said,
            weight=inside.price,  # the weighted error of the logarithm is nearly the one in USD
            ref=training,
            max_bin=bins,
            nthread=1,
        )
        return cls(
            training=training,
            held=held,
            held_four_cs=tree_features(four_cs),
            linear=said,
            linear_four_cs=linear.pipeline_.predict(four_cs),
            prices=inside.price,
            bounds=price_bounds(outside.price),
            rows=rows,
        )

    def boosted(self, parameters: Parameters, seed: int, patience: int, bins: int) -> xgb.Booster:
        """Return trees, grown until *patience* more of them have not helped."""
        return xgb.train(
            booster_settings(parameters, seed, bins),
            self.training,
            MOST_ROUNDS,
            evals=[(self.held, "held")],
            early_stopping_rounds=patience,
            verbose_eval=False,
        )

    def in_usd(self, linear: Matrix, trees: NDArray[np.float32]) -> Matrix:
        prices: Matrix = np.clip(np.exp(np.minimum(linear + trees, 700.0)), *self.bounds)
        return prices


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """What cross-validation says of one set of parameters.

    Attributes:
        mae: mean absolute error of the out-of-fold prices, USD.
        rounds: how many trees were best, on average.
        known, four_cs: out-of-fold prices (USD, shape (n,)), from all and from the 4 Cs.
    """

    mae: float
    rounds: int
    known: Matrix
    four_cs: Matrix


class BoostedFolds:
    """The folds of one table, binned once. Folds are fitted at the same time, each in one thread.

    Parameters:
        twice: learn from each stone without its measurements, too.
        bins: how finely columns are binned; fewer are quicker.
        patience: how many trees that do not help end the growth.
    """

    def __init__(
        self, table: DiamondTable, *, seed: int, twice: bool, bins: int, patience: int
    ) -> None:
        self._seed, self._bins, self._patience = seed, bins, patience
        assigned = folds(table, FOLDS, seed)
        self._count = len(table)
        self._folds = _side_by_side(
            lambda number: _Fold.of(table, assigned == number, twice, bins), range(FOLDS)
        )

    def errors(self, parameters: Parameters, numbers: Sequence[int]) -> list[float]:
        """Return the mean absolute error (USD) in each of the folds *numbers*."""

        def error(number: int) -> float:
            fold = self._folds[number]
            booster = fold.boosted(parameters, self._seed, self._patience, self._bins)
            trees = booster.predict(fold.held, iteration_range=(0, booster.best_iteration + 1))
            return float(np.abs(fold.in_usd(fold.linear, trees) - fold.prices).mean())

        return _side_by_side(error, numbers)

    def validate(self, parameters: Parameters, told: Callable[[], None]) -> CrossValidated:
        """Predict every stone out of fold, all folds with the same number of trees."""

        def boosted(number: int) -> xgb.Booster:
            booster = self._folds[number].boosted(
                parameters, self._seed, self._patience, self._bins
            )
            told()
            return booster

        boosters = _side_by_side(boosted, range(FOLDS))
        rounds = round(float(np.mean([each.best_iteration + 1 for each in boosters])))
        known, four_cs = np.empty(self._count), np.empty(self._count)
        for fold, booster in zip(self._folds, boosters, strict=True):
            until = (0, min(rounds, booster.num_boosted_rounds()))
            trees = booster.predict(fold.held, iteration_range=until)
            known[fold.rows] = fold.in_usd(fold.linear, trees)
            trees = booster.inplace_predict(fold.held_four_cs, iteration_range=until)
            four_cs[fold.rows] = fold.in_usd(fold.linear_four_cs, trees)
        prices = np.empty(self._count)
        for fold in self._folds:
            prices[fold.rows] = fold.prices
        return CrossValidated(float(np.abs(known - prices).mean()), rounds, known, four_cs)


def _side_by_side(work: Callable[[int], _T], numbers: Sequence[int]) -> list[_T]:
    """Do *work* for each number, as many at a time as there are cores; results are in order."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(numbers))) as pool:
        return list(pool.map(work, numbers))
