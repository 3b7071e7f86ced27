"""The XGBoost family: boosted trees on a linear model, with parameters tuned by Optuna."""

from __future__ import annotations

from typing import Final

import xgboost
from threadpoolctl import threadpool_limits

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.estimators import dumped
from diamond_adapters.families.features import FEATURES, FOUR_CS
from diamond_adapters.families.linear.family import MINIMUM_STONES
from diamond_adapters.families.weights import Weights, of_mean_one
from diamond_adapters.families.xgboost.boost import Boost, boosted_here
from diamond_adapters.families.xgboost.effort import effort_for, trials_for
from diamond_adapters.families.xgboost.folds import FIRST_FOLDS, BoostedFolds, CrossValidated
from diamond_adapters.families.xgboost.regressor import BoostedPriceRegressor, defaults_for
from diamond_adapters.families.xgboost.search import SearchResult, search
from diamond_adapters.families.xgboost.trees import BINS, Parameters
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.versions import versions_of
from diamond_core.errors import FamilyFailed, TooFewStones
from diamond_core.ports import ESTIMATOR_FILE, ONNX_FILE, FittedModel, Progress
from diamond_core.stones.diamond_table import DiamondTable

NAMES: Final = ("defaults", "found by the search")
_MORE_ROUNDS: Final = 1.25
"""More stones allow more trees: a fold was trained without some of the stones."""
_OTHER_FOLDS: Final = 1
"""Added to the seed: the final comparison must not use the folds of the search."""


class XGBoostFamily:
    """Log price by a bounded base and boosted trees on its residuals, in order by construction.

    Args:
        order_cut: with measurements, too, a better cut never lowers the price.
        engine: does the work but for the last trees; its result does not depend on it.
        boost: trains the last trees, those of the model.
    """

    name = "xgboost"

    def __init__(
        self, *, order_cut: bool = False, engine: Engine = HERE, boost: Boost = boosted_here
    ) -> None:
        self._order_cut = order_cut
        self._engine = engine
        self._boost = boost

    def fit(
        self,
        table: DiamondTable,
        *,
        seed: int,
        trials: int | None,
        weights: Weights,
        study: str | None,
        progress: Progress,
    ) -> FittedModel:
        if len(table) < MINIMUM_STONES:
            raise TooFewStones(len(table), MINIMUM_STONES)
        # One thread, here and in the trees: sums in another order would change the file.
        with threadpool_limits(1, user_api="blas"):
            try:
                return self._fit(table, of_mean_one(weights), seed, trials, study, progress)
            except xgboost.core.XGBoostError as ex:
                raise FamilyFailed(self.name, str(ex).splitlines()[0]) from ex

    def _fit(
        self,
        table: DiamondTable,
        weights: Weights,
        seed: int,
        trials: int | None,
        study: str | None,
        progress: Progress,
    ) -> FittedModel:
        defaults, trials = defaults_for(len(table)), trials_for(len(table), trials)
        result = SearchResult(defaults, [])
        if trials:

            def trials_done(count: int) -> None:
                progress(f"trying parameters, {count} of {trials}", 0.7 * count / trials)

            result = search(
                table,
                weights,
                url=study,
                trials=trials,
                seed=seed,
                order_cut=self._order_cut,
                trials_done=trials_done,
                engine=self._engine,
            )
        found = result.parameters if dict(result.parameters) != dict(defaults) else None
        # The defaults are kept unless the search's parameters are clearly better on other folds.
        best = self._choose(table, weights, defaults, found, seed, progress)
        parameters = found if found and best.chosen else defaults
        progress("fitting the best", 0.9)
        rounds = round(best.rounds * _MORE_ROUNDS)
        regressor = BoostedPriceRegressor(parameters, rounds, seed, self._order_cut)
        regressor.fit(
            table.features(FEATURES),
            table.price,
            weights,
            engine=self._engine,
            boost=self._boost,
        )
        graph = regressor.to_onnx()
        return FittedModel(
            model=OnnxModel(graph, FEATURES),
            features=FEATURES,
            files={ONNX_FILE: graph, ESTIMATOR_FILE: dumped(regressor)},
            out_of_fold=best.known,
            out_of_fold_four_cs=best.four_cs,
            ordered=FOUR_CS,
            ordered_measured=FOUR_CS[1:] if self._order_cut else FOUR_CS[2:],
            libraries=versions_of(
                "onnx", "optuna", "scikit-learn", "scipy", "xgboost", "xgboost-cpu"
            ),
            details={
                "chosen": NAMES[best.chosen],
                "reason": _reason(best, searched=bool(trials)),
                "parameters": dict(parameters),
                "rounds": rounds,
                "cross_validation_folds": effort_for(len(table)).folds,
                "cross_validated_mae": best.mae,
                "candidates": [
                    {"name": NAMES[at], "cross_validated_mae": error}
                    for at, error in enumerate(best.errors)
                ],
                "trials": list(result.history),
                "importance": regressor.importance_,
            },
        )

    def _choose(
        self,
        table: DiamondTable,
        weights: Weights,
        defaults: Parameters,
        found: Parameters | None,
        seed: int,
        progress: Progress,
    ) -> CrossValidated:
        """Cross-validate with the settings of the final fit: the same bins, each stone twice."""
        effort = effort_for(len(table))
        folds = BoostedFolds(
            table,
            weights,
            seed=seed + _OTHER_FOLDS,
            also_four_cs=True,
            bins=BINS,
            effort=effort,
            order_cut=self._order_cut,
            engine=self._engine,
        )
        done = 0

        def fold_done() -> None:
            nonlocal done
            done += 1
            progress("cross-validating", min(0.7 + 0.2 * done / (effort.folds + FIRST_FOLDS), 0.9))

        return folds.choose(defaults, found, fold_done)


def _reason(best: CrossValidated, *, searched: bool) -> str:
    """Return why these parameters were chosen."""
    if len(best.errors) == 1:
        return "the search found nothing better" if searched else "there was no search"
    defaults, found = best.errors
    both = f"{found:,.2f} USD with those of the search, {defaults:,.2f} with the defaults"
    return f"cross-validated MAE {both}" + ("" if best.chosen else ": not clearly lower")
