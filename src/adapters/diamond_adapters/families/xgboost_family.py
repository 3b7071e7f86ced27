"""The XGBoost family: boosted trees on a linear model, with parameters tuned by Optuna."""

from __future__ import annotations

from typing import Final

import xgboost
from threadpoolctl import threadpool_limits

from diamond_adapters.families.boosted_folds import DECIDING, FOLDS, BoostedFolds, CrossValidated
from diamond_adapters.families.boosted_price import (
    BINS,
    DEFAULTS,
    BoostedPriceRegressor,
    Parameters,
)
from diamond_adapters.families.boosted_tuning import Tuned, tune
from diamond_adapters.families.estimators import dumped
from diamond_adapters.families.linear import LEAST_STONES
from diamond_adapters.families.tuning_study import TuningStudy
from diamond_adapters.onnx_model import OnnxModel
from diamond_core.diamond_table import DiamondTable
from diamond_core.errors import FamilyFailed, TooFewStones
from diamond_core.ports import ESTIMATOR_FILE, ONNX_FILE, FittedModel, Progress

NAMES: Final = ("defaults", "found by the search")
_PATIENCE: Final = 50
_OTHER_FOLDS: Final = 1
"""Added to the seed: the last comparison's folds are not the search's."""


class XGBoostFamily:
    """Log price by a linear model and boosted trees on what it leaves over.

    Parameters:
        study: where the search for parameters is kept; by default it ends with the process.
    """

    name = "xgboost"

    def __init__(self, study: TuningStudy | None = None) -> None:
        self._study = study or TuningStudy()

    def in_study(self, url: str) -> XGBoostFamily:
        """Return this family with its search kept at *url*, where others may join it."""
        return XGBoostFamily(TuningStudy(url))

    def fit(
        self, table: DiamondTable, *, seed: int, trials: int | None, progress: Progress
    ) -> FittedModel:
        if len(table) < LEAST_STONES:
            raise TooFewStones(len(table), LEAST_STONES)
        # One thread, here and in the trees: sums in another order would make another file.
        with threadpool_limits(1, user_api="blas"):
            try:
                return self._fit(table, seed, trials_for(table, trials), progress)
            except xgboost.core.XGBoostError as ex:
                raise FamilyFailed(self.name, str(ex).splitlines()[0]) from ex

    def _fit(self, table: DiamondTable, seed: int, trials: int, progress: Progress) -> FittedModel:
        tuned = Tuned(DEFAULTS, [])
        if trials:

            def told(done: int) -> None:
                progress(f"trying parameters, {done} of {trials}", 0.7 * done / trials)

            tuned = tune(table, self._study, trials=trials, seed=seed, told=told)
        found = tuned.parameters if dict(tuned.parameters) != dict(DEFAULTS) else None
        # The defaults stay unless what was found is clearly better on other folds.
        best = _choose(table, found, seed, progress)
        parameters = found if found and best.chosen else DEFAULTS
        progress("fitting the best", 0.9)
        # The more stones, the more trees: a fold's training lacked a fifth of them.
        rounds = round(best.rounds * FOLDS / (FOLDS - 1))
        regressor = BoostedPriceRegressor(parameters, rounds, seed)
        regressor.fit(table.features(), table.price)
        graph = regressor.to_onnx()
        return FittedModel(
            model=OnnxModel(graph),
            files={ONNX_FILE: graph, ESTIMATOR_FILE: dumped(regressor)},
            out_of_fold=best.known,
            out_of_fold_four_cs=best.four_cs,
            details={
                "chosen": NAMES[best.chosen],
                "parameters": dict(parameters),
                "rounds": rounds,
                "cross_validation_folds": FOLDS,
                "cross_validated_mae": best.mae,
                "candidates": [
                    {"name": NAMES[at], "cross_validated_mae": error}
                    for at, error in enumerate(best.errors)
                ],
                "trials": list(tuned.history),
                "importance": regressor.importance(),
            },
        )


def trials_for(table: DiamondTable, trials: int | None) -> int:
    """Return the number of trials: as ordered, or what takes a few seconds for this table."""
    return max(5, min(40, 200_000 // len(table))) if trials is None else trials


def _choose(
    table: DiamondTable, found: Parameters | None, seed: int, progress: Progress
) -> CrossValidated:
    """Cross-validate as the final model is fitted: in the same bins, each stone twice."""
    folds = BoostedFolds(table, seed=seed + _OTHER_FOLDS, twice=True, bins=BINS, patience=_PATIENCE)
    done = 0

    def told() -> None:
        nonlocal done
        done += 1
        progress("cross-validating", min(0.7 + 0.2 * done / (FOLDS + DECIDING), 0.9))

    return folds.choose(DEFAULTS, found, told)
