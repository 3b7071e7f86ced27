"""One linear model of the price, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.pipeline import Pipeline

from diamond_adapters.families.linear.design import (
    FlooredScaler,
    LinearDesign,
    Matrix,
    mean_and_deviation,
)
from diamond_adapters.families.linear.graph import export
from diamond_adapters.families.linear.ordered import OrderedLinear, UnscaledCoefficients
from diamond_adapters.families.linear.search import LASSO_ITERATIONS, tolerating_slow_lasso
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import axis_weights
from diamond_adapters.families.weights import Weights


class LinearPriceRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """A scikit-learn regressor of prices (USD) on features (n, 9) in the order of ``FEATURES``.

    Parameters:
        log_price: fit the price's logarithm.
        weight, interactions: see ``LinearDesign``.
        solver: 'least squares', 'ridge' or 'lasso'.
        penalty: for standardized columns and target; ridge's is per row.

    The fitted model is then put in order, see ``OrderedLinear``: with the 4 Cs alone, a better cut,
    color or clarity or a greater weight never lowers the price; with measurements, a better color
    or clarity never does.

    Unknown features are NaN. Predictions follow the ``PriceRule`` of the training prices.
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

    def fit(self, features: NDArray[Any], prices: Matrix, sample_weight: Weights = None) -> Self:
        """Fit to features (n, 9), prices (n,) in USD, and the stones' weights (n,)."""
        target = np.log(prices) if self.log_price else np.asarray(prices, dtype=np.float64)
        _, deviation = mean_and_deviation(target, sample_weight)
        total = len(target) if sample_weight is None else float(sample_weight.sum())
        linear = {
            "least squares": LinearRegression(),
            "ridge": Ridge(alpha=self.penalty * total),
            "lasso": Lasso(
                alpha=self.penalty * float(deviation),
                precompute=True,
                max_iter=10 * LASSO_ITERATIONS,
            ),
        }[self.solver]
        self.pipeline_ = Pipeline(
            [
                ("design", LinearDesign(self.weight, self.interactions)),
                ("scaler", FlooredScaler()),
                ("linear", linear),
            ]
        )
        weights = {f"{step}__sample_weight": sample_weight for step in ("scaler", "linear")}
        with tolerating_slow_lasso():
            self.pipeline_.fit(features, target, **weights)
        design = self.pipeline_.steps[0][1]
        self.price_rule_ = PriceRule.of(prices)
        self.ordered_ = OrderedLinear.of(
            design,
            UnscaledCoefficients.of_pipeline(self.pipeline_),
            self.price_rule_,
            axis_weights(features, sample_weight),
            log_price=self.log_price,
        )
        self.n_features_in_ = features.shape[1]
        return self

    def predict(self, features: NDArray[Any]) -> Matrix:
        """Return prices in USD, shape (n,)."""
        return self.ordered_.price(features)

    def to_onnx(self) -> bytes:
        """Return the fitted model as an ONNX graph."""
        return export(self.ordered_)
