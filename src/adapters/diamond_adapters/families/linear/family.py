"""The linear family: the best of many linear models, by cross-validated error in USD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadpoolctl import threadpool_limits

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.estimators import dumped
from diamond_adapters.families.features import FEATURES, FOUR_CS
from diamond_adapters.families.linear.candidates import DEFAULT, Candidate, every_candidate
from diamond_adapters.families.linear.regressor import LinearPriceRegressor
from diamond_adapters.families.linear.search import FOLDS, CrossValidation
from diamond_adapters.families.weights import Weights, of_mean_one
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.versions import versions_of
from diamond_core.errors import TooFewStones
from diamond_core.ports import ESTIMATOR_FILE, ONNX_FILE, FittedModel, Progress
from diamond_core.stones.diamond_table import DiamondTable

MINIMUM_STONES: Final = 50


class LinearFamily:
    """Plain and log price on weight, grades and measurements; least squares, ridge and lasso.

    Args:
        engine: does the work; the result does not depend on it.
    """

    name = "linear"

    def __init__(self, *, engine: Engine = HERE) -> None:
        self._engine = engine

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
        weights = of_mean_one(weights)
        # One thread: the order of the sums, and so the file, must not depend on the number of
        # cores. On shared cores, threads that wait for each other also take five times as long.
        with threadpool_limits(1, user_api="blas"):
            validation = CrossValidation(table, weights, seed=seed, engine=self._engine)
            candidates = [DEFAULT] if trials == 0 else every_candidate()
            scored = validation.scored(candidates, progress)
            best = scored[0].candidate
            progress("fitting the best", 0.9)
            regressor = fit_candidate(best, table, weights, self._engine)
            graph = regressor.to_onnx()
            known, four_cs = validation.ordered_out_of_fold(best)
        return FittedModel(
            model=OnnxModel(graph, FEATURES),
            features=FEATURES,
            files={ONNX_FILE: graph, ESTIMATOR_FILE: dumped(regressor)},
            out_of_fold=known,
            out_of_fold_four_cs=four_cs,
            ordered=FOUR_CS,
            ordered_measured=("color", "clarity"),
            libraries=versions_of("onnx", "scikit-learn", "scipy"),
            details={
                "chosen": best.name,
                "cross_validation_folds": FOLDS,
                "candidates": [
                    {"name": each.candidate.name, "cross_validated_mae": each.mae}
                    for each in scored
                ],
                "assumed": _assumed(regressor),
            },
        )


def fit_candidate(
    candidate: Candidate, table: DiamondTable, weights: Weights = None, engine: Engine = HERE
) -> LinearPriceRegressor:
    """Fit one candidate to the whole *table*."""
    regressor = LinearPriceRegressor(
        log_price=candidate.log_price,
        weight=candidate.weight,
        interactions=candidate.interactions,
        solver=candidate.solver,
        penalty=candidate.penalty,
    )
    return regressor.fit(table.features(FEATURES), table.price, weights, engine=engine)


def _assumed(regressor: LinearPriceRegressor) -> Mapping[str, Any]:
    """Return the values assumed for unknown measurements, for the card."""
    design = regressor.design_
    return {
        "depth_by_cut": design.medians_[:, 0].tolist(),
        "table_by_cut": design.medians_[:, 1].tolist(),
        "carats_per_cubic_millimeter": design.density_,
    }
