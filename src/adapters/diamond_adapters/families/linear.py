"""The linear family: the best of many linear models, by cross-validated error in USD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from diamond_adapters.families.estimators import dumped
from diamond_adapters.families.linear_design import FlooredScaler, LinearDesign, Matrix
from diamond_adapters.families.linear_onnx import Folded, export
from diamond_adapters.families.linear_search import (
    DEFAULT,
    FOLDS,
    LASSO_ROUNDS,
    Candidate,
    out_of_fold,
    price_bounds,
    search,
    tolerating_slow_lasso,
)
from diamond_adapters.onnx_model import OnnxModel
from diamond_core.diamond_table import DiamondTable
from diamond_core.errors import TooFewStones
from diamond_core.ports import ESTIMATOR_FILE, ONNX_FILE, FittedModel, Progress

LEAST_STONES: Final = 50


class LinearPriceRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """A scikit-learn regressor of prices (USD) on features (n, 9), NaN for unknown.

    Parameters:
        log_price: fit the price's logarithm.
        weight, interactions: see ``LinearDesign``.
        solver: 'least squares', 'ridge' or 'lasso'.
        penalty: for standardised columns and target; ridge's per row.

    Predictions are kept between a tenth of the least and ten times the most training price.
    """

    def __init__(
        self,
        log_price: bool = True,
        weight: str = "spline",
        interactions: bool = True,
        solver: str = "least squares",
        penalty: float = 0.0,
    ) -> None:
        self.log_price = log_price
        self.weight = weight
        self.interactions = interactions
        self.solver = solver
        self.penalty = penalty

    def fit(self, features: NDArray[Any], prices: Matrix) -> Self:
        """Fit to features (n, 9) and prices (n,) in USD."""
        target = np.log(prices) if self.log_price else np.asarray(prices, dtype=np.float64)
        linear = {
            "least squares": LinearRegression(),
            "ridge": Ridge(alpha=self.penalty * len(target)),
            "lasso": Lasso(
                alpha=self.penalty * float(target.std()),
                precompute=True,
                max_iter=10 * LASSO_ROUNDS,
            ),
        }[self.solver]
        design = LinearDesign(self.weight, self.interactions)
        self.pipeline_: Pipeline = make_pipeline(design, FlooredScaler(), linear)
        with tolerating_slow_lasso():
            self.pipeline_.fit(features, target)
        self.bounds_ = price_bounds(prices)
        self.n_features_in_ = features.shape[1]
        return self

    def predict(self, features: NDArray[Any]) -> Matrix:
        """Return prices in USD, shape (n,)."""
        values = self.pipeline_.predict(features)
        if self.log_price:
            values = np.exp(np.minimum(values, 700.0))
        prices: Matrix = np.clip(values, *self.bounds_)
        return prices

    def to_onnx(self) -> bytes:
        """Return the fitted model as an ONNX graph."""
        design = self.pipeline_.steps[0][1]
        folded = Folded.of(self.pipeline_)
        return export(design, folded, log_price=self.log_price, bounds=self.bounds_)


class LinearFamily:
    """Plain and log price on weight, grades and measurements; least squares, ridge and lasso."""

    name = "linear"

    def fit(
        self, table: DiamondTable, *, seed: int, trials: int | None, progress: Progress
    ) -> FittedModel:
        if len(table) < LEAST_STONES:
            raise TooFewStones(len(table), LEAST_STONES)
        # One thread: sums in another order would make another file on a machine of more cores,
        # and where the cores are shared, threads that wait for each other take five times as long.
        with threadpool_limits(1, user_api="blas"):
            only = DEFAULT if trials == 0 else None
            scored = search(table, seed=seed, progress=progress, only=only)
            best = scored[0].candidate
            progress("fitting the best", 0.9)
            regressor = fit_candidate(best, table)
            graph = regressor.to_onnx()
            known, four_cs = out_of_fold(table, best, seed=seed)
        return FittedModel(
            model=OnnxModel(graph),
            files={ONNX_FILE: graph, ESTIMATOR_FILE: dumped(regressor)},
            out_of_fold=known,
            out_of_fold_four_cs=four_cs,
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


def fit_candidate(candidate: Candidate, table: DiamondTable) -> LinearPriceRegressor:
    """Fit one candidate to the whole *table*."""
    regressor = LinearPriceRegressor(
        log_price=candidate.log_price,
        weight=candidate.weight,
        interactions=candidate.interactions,
        solver=candidate.solver,
        penalty=candidate.penalty,
    )
    return regressor.fit(table.features(), table.price)


def _assumed(regressor: LinearPriceRegressor) -> Mapping[str, Any]:
    """Say what is assumed of unknown measurements, for the card."""
    design = regressor.pipeline_.steps[0][1]
    return {
        "depth_by_cut": design.medians_[:, 0].tolist(),
        "table_by_cut": design.medians_[:, 1].tolist(),
        "carats_per_cubic_millimetre": design.density_,
    }
