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
DECIDING: Final = 2
"""After so many folds a challenger that is hardly better is given up."""
WORTH_IT: Final = 0.005
"""By what share a challenger's error must be less to be worth a change."""
CLEARLY: Final = 2.0
"""And by how many standard errors, paired by stone: less may well be noise."""
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
    """What cross-validation says of the better of some candidates.

    Attributes:
        chosen: which candidate it is.
        errors: each candidate's mean error in the folds that decided, USD.
        mae: mean absolute error of the out-of-fold prices, USD.
        rounds: how many trees were best, on average.
        known, four_cs: out-of-fold prices (USD, shape (n,)), from all and from the 4 Cs.
    """

    chosen: int
    errors: Sequence[float]
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
        boosters = self._boosters(parameters, numbers, lambda: None)
        return [
            float(self._off(at, each).mean()) for at, each in zip(numbers, boosters, strict=True)
        ]

    def choose(
        self, incumbent: Parameters, challenger: Parameters | None, told: Callable[[], None]
    ) -> CrossValidated:
        """Cross-validate the *challenger* where it is clearly better, else the *incumbent*.

        Better is by ``WORTH_IT`` in the first folds, and then by that and ``CLEARLY`` in all;
        *told* is called after each fold.
        """
        deciding, rest = range(FOLDS)[:DECIDING], range(FOLDS)[DECIDING:]
        boosters = self._boosters(incumbent, range(FOLDS), told)
        off = [self._off(at, each) for at, each in enumerate(boosters)]
        if challenger is None:
            return self._validated(0, [_mean(off)], boosters)
        others = self._boosters(challenger, deciding, told)
        others_off = [self._off(at, each) for at, each in zip(deciding, others, strict=True)]
        errors = [_mean(off[:DECIDING]), _mean(others_off)]
        if not _is_worth_it(errors):
            return self._validated(0, errors, boosters)
        others += self._boosters(challenger, rest, told)
        others_off += [self._off(at, others[at]) for at in rest]
        errors = [_mean(off), _mean(others_off)]
        if _is_worth_it(errors) and _standard_errors_better(off, others_off) > CLEARLY:
            return self._validated(1, errors, others)
        return self._validated(0, errors, boosters)

    def _validated(
        self, chosen: int, errors: Sequence[float], boosters: Sequence[xgb.Booster]
    ) -> CrossValidated:
        """Price every stone by its fold's trees, as many in each fold as are best on average."""
        rounds = round(float(np.mean([each.best_iteration + 1 for each in boosters])))
        known, four_cs = np.empty(self._count), np.empty(self._count)
        total = 0.0
        for fold, booster in zip(self._folds, boosters, strict=True):
            until = (0, min(rounds, booster.num_boosted_rounds()))
            trees = booster.predict(fold.held, iteration_range=until)
            known[fold.rows] = fold.in_usd(fold.linear, trees)
            trees = booster.inplace_predict(fold.held_four_cs, iteration_range=until)
            four_cs[fold.rows] = fold.in_usd(fold.linear_four_cs, trees)
            total += float(np.abs(known[fold.rows] - fold.prices).sum())
        return CrossValidated(chosen, errors, total / self._count, rounds, known, four_cs)

    def _boosters(
        self, parameters: Parameters, numbers: Sequence[int], told: Callable[[], None]
    ) -> list[xgb.Booster]:
        def boosted(number: int) -> xgb.Booster:
            fold = self._folds[number]
            booster = fold.boosted(parameters, self._seed, self._patience, self._bins)
            told()
            return booster

        return _side_by_side(boosted, numbers)

    def _off(self, number: int, booster: xgb.Booster) -> Matrix:
        """Return each stone's absolute error (USD) in a fold, by the trees that were best there."""
        fold = self._folds[number]
        trees = booster.predict(fold.held, iteration_range=(0, booster.best_iteration + 1))
        return np.abs(fold.in_usd(fold.linear, trees) - fold.prices)


def _is_worth_it(errors: Sequence[float]) -> bool:
    return errors[1] < (1 - WORTH_IT) * errors[0]


def _standard_errors_better(off: Sequence[Matrix], others_off: Sequence[Matrix]) -> float:
    gains = np.concatenate(off) - np.concatenate(others_off)
    return float(gains.mean() / (gains.std() / np.sqrt(len(gains))))


def _mean(off: Sequence[Matrix]) -> float:
    return float(np.concatenate(off).mean())


def _side_by_side(work: Callable[[int], _T], numbers: Sequence[int]) -> list[_T]:
    """Do *work* for each number, as many at a time as there are cores; results are in order."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(numbers))) as pool:
        return list(pool.map(work, numbers))
