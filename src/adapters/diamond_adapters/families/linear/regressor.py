"""One linear model of the price, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.linear.candidates import Candidate
from diamond_adapters.families.linear.design import LinearDesign, Matrix
from diamond_adapters.families.linear.graph import export
from diamond_adapters.families.linear.ordered import OrderedLinear, UnscaledCoefficients
from diamond_adapters.families.linear.solve import LASSO_ITERATIONS, solved
from diamond_adapters.families.linear.sums import GroupSums
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import axis_weights
from diamond_adapters.families.weights import Weights

_LASSO_ITERATIONS: Final = 10 * LASSO_ITERATIONS


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

    def fit(
        self,
        features: NDArray[Any],
        prices: Matrix,
        sample_weight: Weights = None,
        *,
        engine: Engine = HERE,
    ) -> Self:
        """Fit to features (n, 9), prices (n,) in USD, and the stones' weights (n,)."""
        features, prices = np.asarray(features), np.asarray(prices, dtype=np.float64)
        candidate = Candidate(
            self.log_price, self.weight, self.interactions, self.solver, self.penalty
        )
        self.design_ = LinearDesign(self.weight, self.interactions).fit(features)
        one_fold = np.zeros(len(features), dtype=np.intp)
        (sums,) = GroupSums.by_fold(
            self.design_, features, prices, sample_weight, one_fold, 1, engine
        )
        (intercept,), coefficients = solved(
            sums.of_columns(self.design_.columns()), [candidate], iterations=_LASSO_ITERATIONS
        )
        self.price_rule_ = PriceRule.of(prices)
        self.ordered_ = OrderedLinear.of(
            self.design_,
            UnscaledCoefficients.of(self.design_, float(intercept), coefficients[:, 0]),
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
