"""Cross-validation of boosted trees: each fold's rows are binned once for all trials."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, Final, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.features import FEATURES, four_cs_of
from diamond_adapters.families.linear.design import Matrix
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.weights import Weights, at, times
from diamond_adapters.families.xgboost.effort import Effort
from diamond_adapters.families.xgboost.regressor import fit_base, training_rows
from diamond_adapters.families.xgboost.trees import Parameters, booster_settings, tree_features
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.holdout import folds

FIRST_FOLDS: Final = 2
"""After this many folds, a challenger without ``MINIMUM_GAIN`` is dropped."""
MINIMUM_GAIN: Final = 0.005
"""The relative reduction of the error that a challenger needs."""
MINIMUM_STANDARD_ERRORS: Final = 2.0
"""The minimum reduction in standard errors, paired by stone: less can be noise."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """One fold: the rows outside it for training, and its own stones to predict.

    Many stones share their 4 Cs: the distinct ones are predicted, and each stone knows its own.
    """

    training: xgb.QuantileDMatrix
    held: xgb.QuantileDMatrix
    held_four_cs: NDArray[np.float32]
    with_four_cs: NDArray[np.intp]
    base: Matrix
    prices: Matrix
    weights: Weights
    rule: PriceRule

    @classmethod
    def of(
        cls,
        table: DiamondTable,
        weights: Weights,
        assigned: NDArray[np.intp],
        number: int,
        *,
        also_four_cs: bool,
        bins: int,
    ) -> Self:
        rows = assigned == number
        outside, inside = table[~rows], table[rows]
        features, learned = inside.features(FEATURES), outside.features(FEATURES)
        inside_weights, outside_weights = at(weights, rows), at(weights, ~rows)
        base = fit_base(learned, outside.price, outside_weights)
        training = training_rows(
            learned, outside.price, outside_weights, base, also_four_cs=also_four_cs
        ).binned(bins)
        of_base = base.predict(features)
        held = xgb.QuantileDMatrix(
            tree_features(features),
            label=np.log(inside.price) - of_base,
            # the error of the logarithm times the price is nearly the error in USD
            weight=times(inside.price, inside_weights),
            ref=training,
            max_bin=bins,
            nthread=1,
        )
        _, firsts, with_four_cs = np.unique(
            inside.four_cs_hashes(), return_index=True, return_inverse=True
        )
        return cls(
            training=training,
            held=held,
            held_four_cs=tree_features(four_cs_of(features[firsts])),
            with_four_cs=with_four_cs,
            base=of_base,
            prices=inside.price,
            weights=inside_weights,
            rule=PriceRule.of(outside.price),
        )

    def boosted(self, settings: Mapping[str, Any], effort: Effort) -> xgb.Booster:
        """Return trees, trained until more of them do not reduce the error."""
        return xgb.train(
            dict(settings),
            self.training,
            effort.rounds,
            evals=[(self.held, "held")],
            early_stopping_rounds=effort.patience,
            verbose_eval=False,
        )

    def absolute_errors(self, booster: xgb.Booster) -> Matrix:
        """Return each stone's absolute error (USD), by the trees that were best here."""
        trees = booster.predict(self.held, iteration_range=(0, booster.best_iteration + 1))
        return np.abs(self.to_usd(trees) - self.prices)

    def error(self, settings: Mapping[str, Any], effort: Effort) -> float:
        """Return the mean absolute error (USD) of trees that are trained with *settings*."""
        errors = self.absolute_errors(self.boosted(settings, effort))
        return float(np.average(errors, weights=self.weights))

    def out_of_fold(self, booster: xgb.Booster, rounds: int) -> tuple[Matrix, Matrix]:
        """Return the prices (USD) by *rounds* trees: from all fields, and from the 4 Cs."""
        until = (0, min(rounds, booster.num_boosted_rounds()))
        known = self.to_usd(booster.predict(self.held, iteration_range=until))
        trees = booster.inplace_predict(self.held_four_cs, iteration_range=until)
        return known, self.to_usd(trees[self.with_four_cs])

    def to_usd(self, trees: NDArray[np.float32]) -> Matrix:
        return self.rule.to_usd(self.base + trees, log_price=True)


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """The better of some candidates, cross-validated.

    Attributes:
        chosen: which candidate it is.
        errors: each candidate's mean error in the compared folds, USD.
        mae: mean absolute error of the out-of-fold prices, USD.
        rounds: the best number of trees, on average.
        known, four_cs: out-of-fold prices (USD, shape (n,)), from all and from the 4 Cs.
    """

    chosen: int
    errors: Sequence[float]
    mae: float
    rounds: int
    known: Matrix
    four_cs: Matrix


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A challenger's absolute errors (USD) against the incumbent's, paired by stone.

    Attributes:
        means: the mean errors, weighted, of incumbent and challenger.
        standard_error: of the difference of the means.
    """

    means: tuple[float, float]
    standard_error: float

    @classmethod
    def of(cls, incumbent: Matrix, challenger: Matrix, weights: Weights) -> Self:
        """Compare the errors where the challenger's are known (not NaN)."""
        known = ~np.isnan(challenger)
        weights = at(weights, known)
        gains = incumbent[known] - challenger[known]
        of_incumbent, of_challenger, gain = (
            float(np.average(each, weights=weights))
            for each in (incumbent[known], challenger[known], gains)
        )
        total = len(gains) if weights is None else float(weights.sum())
        error = float(np.linalg.norm(times(gains - gain, weights))) / total
        return cls((of_incumbent, of_challenger), error)

    @property
    def is_worth_it(self) -> bool:
        return self.means[1] < (1 - MINIMUM_GAIN) * self.means[0]

    @property
    def is_clear(self) -> bool:
        return self.means[0] - self.means[1] > MINIMUM_STANDARD_ERRORS * self.standard_error


class BoostedFolds:
    """The folds of one table, binned once. Folds are fitted in parallel, each in one thread.

    Each fold stays where the engine has made it.

    Errors are weighted means.

    Parameters:
        also_four_cs: train on each stone without its measurements, too.
        bins: the number of bins per column; fewer are faster.
        effort: the number of folds, and when to stop.
        order_cut: see ``BoostedPriceRegressor``.
        engine: does the work; the result does not depend on it.

    Prices are those of base and trees, before the tables are put in order: that changes them little.
    """

    def __init__(
        self,
        table: DiamondTable,
        weights: Weights,
        *,
        seed: int,
        also_four_cs: bool,
        bins: int,
        effort: Effort,
        order_cut: bool = False,
        engine: Engine = HERE,
    ) -> None:
        self._prices, self._weights, self._order_cut = table.price, weights, order_cut
        self._seed, self._bins, self._effort = seed, bins, effort
        self._engine = engine
        self._assigned = folds(table, effort.folds, seed)
        shared = [engine.share(each) for each in (table, weights, self._assigned)]
        self._folds = engine.keep(
            partial(_Fold.of, also_four_cs=also_four_cs, bins=bins),
            *(repeat(each, effort.folds) for each in shared),
            range(effort.folds),
        )

    def errors(self, parameters: Parameters, count: int) -> Generator[float, None, None]:
        """Yield the mean absolute errors (USD) in the first *count* folds.

        Here a fold is trained when its error is asked for; a cluster trains all at once.
        """
        work = partial(_Fold.error, settings=self._settings(parameters), effort=self._effort)
        return self._engine.map(work, self._folds[:count])

    def choose(
        self, incumbent: Parameters, challenger: Parameters | None, fold_done: Callable[[], None]
    ) -> CrossValidated:
        """Return the cross-validated *challenger* if it is clearly better, else the *incumbent*.

        Clearly better: by ``MINIMUM_GAIN`` in the first folds, and by ``MINIMUM_GAIN`` and
        ``MINIMUM_STANDARD_ERRORS`` in all folds. *fold_done* is called after each fold.
        """

        def boosters(parameters: Parameters, numbers: Sequence[int]) -> list[xgb.Booster]:
            work = partial(_Fold.boosted, settings=self._settings(parameters), effort=self._effort)
            found = []
            for booster in self._engine.parallel(work, [self._folds[each] for each in numbers]):
                found.append(booster)
                fold_done()
            return found

        incumbents = boosters(incumbent, range(self._effort.folds))
        errors = self._errors(incumbents)
        if challenger is None:
            mean = float(np.average(errors, weights=self._weights))
            return self._validated(0, [mean], incumbents)
        challengers = boosters(challenger, range(FIRST_FOLDS))
        compared = _Comparison.of(errors, self._errors(challengers), self._weights)
        if compared.is_worth_it:
            challengers += boosters(challenger, range(FIRST_FOLDS, self._effort.folds))
            compared = _Comparison.of(errors, self._errors(challengers), self._weights)
            if compared.is_worth_it and compared.is_clear:
                return self._validated(1, compared.means, challengers)
        return self._validated(0, compared.means, incumbents)

    def _validated(
        self, chosen: int, errors: Sequence[float], boosters: Sequence[xgb.Booster]
    ) -> CrossValidated:
        """Price every stone by its fold's trees, with the average best number of trees."""
        rounds = round(float(np.mean([each.best_iteration + 1 for each in boosters])))
        known, four_cs = np.empty(len(self._prices)), np.empty(len(self._prices))
        of_folds = self._engine.parallel(
            partial(_Fold.out_of_fold, rounds=rounds), self._folds, boosters
        )
        for number, prices in enumerate(of_folds):
            rows = self._assigned == number
            known[rows], four_cs[rows] = prices
        mae = float(np.average(np.abs(known - self._prices), weights=self._weights))
        return CrossValidated(chosen, errors, mae, rounds, known, four_cs)

    def _settings(self, parameters: Parameters) -> dict[str, Any]:
        return booster_settings(parameters, self._seed, self._bins, order_cut=self._order_cut)

    def _errors(self, boosters: Sequence[xgb.Booster]) -> Matrix:
        """Return each stone's absolute error (USD), NaN in folds without a booster."""
        errors = np.full(len(self._prices), np.nan)
        some = self._folds[: len(boosters)]
        of_folds = self._engine.parallel(_Fold.absolute_errors, some, boosters)
        for number, of_fold in enumerate(of_folds):
            errors[self._assigned == number] = of_fold
        return errors
