"""Prices by a linear model of the logarithm, and boosted trees on its residuals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from diamond_adapters.families.features import FEATURES, FOUR_CS
from diamond_adapters.families.linear.design import Matrix
from diamond_adapters.families.linear.regressor import LinearPriceRegressor
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.weights import Weights, times
from diamond_adapters.families.xgboost.graph import export

Parameters = Mapping[str, float | int]
"""By XGBoost's names: learning_rate, max_depth, ..."""

DEFAULTS: Final[Parameters] = {
    "learning_rate": 0.04,
    "max_depth": 7,
    "min_child_weight": 3.0,
    "subsample": 0.7,
    "colsample_bytree": 0.7,
    "lambda": 5.0,
    "alpha": 1e-3,
}
BINS: Final = 256
ENGINEERED: Final = ("spread", "color_clarity", "all_grades", "roundness", "height")
TREE_FEATURES: Final = (*FEATURES, *ENGINEERED)

_PRICE_WEIGHT: Final = 0.3
_HUBER_SLOPE: Final = 0.05
"""Above about 5 %, the loss is linear in the error, as in the mean absolute error."""


class BoostedPriceRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """A scikit-learn regressor of prices (USD) on features (n, 9) in the order of ``FEATURES``.

    The linear model gives the slope over weight, also outside the training weights; the trees
    predict its residuals. They are trained on each stone twice, once without its measurements, so
    that a price from the 4 Cs alone is nearly as accurate as one from all fields. Their loss is
    the pseudo-Huber loss of the log price, which is closer to the mean absolute error than a
    squared loss. Training uses one thread, so the model is the same on any machine.

    Parameters:
        parameters: XGBoost's; None: the defaults.
        rounds: the number of trees.
        seed: for the sampling of each tree's rows and columns.

    Unknown features are NaN. Predictions follow the ``PriceRule`` of the training prices.
    """

    def __init__(
        self, parameters: Parameters | None = None, rounds: int = 400, seed: int = 0
    ) -> None:
        self.parameters = parameters
        self.rounds = rounds
        self.seed = seed

    def fit(self, features: NDArray[Any], prices: Matrix, sample_weight: Weights = None) -> Self:
        """Fit to features (n, 9), prices (n,) in USD, and the stones' weights (n,)."""
        self.linear_ = fit_linear(features, prices, sample_weight)
        data = training_data(
            features, prices, sample_weight, self.linear_, also_four_cs=True, bins=BINS
        )
        settings = booster_settings(self.parameters or DEFAULTS, self.seed, BINS)
        self.booster_ = xgb.train(settings, data, self.rounds)
        self.price_rule_ = PriceRule.of(prices)
        self.n_features_in_ = features.shape[1]
        return self

    def predict(self, features: NDArray[Any]) -> Matrix:
        """Return prices in USD, shape (n,)."""
        trees = self.booster_.inplace_predict(tree_features(features))
        values = self.linear_.pipeline_.predict(features) + trees
        return self.price_rule_.to_usd(values, log_price=True)

    def to_onnx(self) -> bytes:
        """Return the fitted model as an ONNX graph."""
        return export(self.linear_.pipeline_, self.booster_, self.price_rule_)

    def importance(self) -> dict[str, float]:
        """Return each tree feature's share of the total gain of all splits, largest first."""
        scores = self.booster_.get_score(importance_type="total_gain")
        gains = [float(np.sum(scores.get(f"f{at}", 0.0))) for at in range(len(TREE_FEATURES))]
        total = sum(gains) or 1.0
        shares = {name: gain / total for name, gain in zip(TREE_FEATURES, gains, strict=True)}
        return dict(sorted(shares.items(), key=lambda each: -each[1]))


def tree_features(features: NDArray[Any]) -> NDArray[np.float32]:
    """Return the columns that the trees split on, shape (n, 14), in the order of TREE_FEATURES.

    They are the nine features, the spread (the cube of the mean diameter over that of a round
    brilliant of this weight and depth, up to a constant factor), sums of grade numbers, and ratios
    of the measurements. Unlike logarithms, products and square roots are rounded the same
    everywhere, so the graph and this function agree exactly and take the same branches.
    """
    exact = np.asarray(features, dtype=np.float64)
    carat, cut, color, clarity, depth, _, x, y, z = exact.T
    area = x * y
    spread = area * np.sqrt(area) * depth / carat
    grades = color + clarity
    engineered = [spread, grades, grades + cut, x / y, z / x]
    return np.column_stack([exact, *engineered]).astype(np.float32)


def fit_linear(features: NDArray[Any], prices: Matrix, weights: Weights) -> LinearPriceRegressor:
    """Fit the linear part: log price on a spline of the weight, grades and measurements."""
    regressor = LinearPriceRegressor(interactions=False, solver="ridge", penalty=1e-3)
    return regressor.fit(features, prices, weights)


def training_data(
    features: NDArray[Any],
    prices: Matrix,
    weights: Weights,
    linear: LinearPriceRegressor,
    *,
    also_four_cs: bool,
    bins: int,
) -> xgb.QuantileDMatrix:
    """Return the binned training rows: each stone, with *also_four_cs* also without measurements.

    The target is the log price minus the linear model's prediction. An error in USD is about the
    price times the error of the logarithm, so expensive stones have a larger weight; the full price
    as weight would be too noisy.
    """
    parts = [features, four_cs_of(features)] if also_four_cs else [features]
    logs = np.log(prices)
    importance = times(prices**_PRICE_WEIGHT, weights)
    importance = importance / importance.mean()
    return xgb.QuantileDMatrix(
        np.vstack([tree_features(part) for part in parts]),
        label=np.concatenate([logs - linear.pipeline_.predict(part) for part in parts]),
        weight=np.tile(importance, len(parts)),
        max_bin=bins,
        nthread=1,
    )


def four_cs_of(features: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of features (n, 9) in which only the 4 Cs are known."""
    copy = features.copy()
    copy[:, len(FOUR_CS) :] = np.nan
    return copy


def booster_settings(parameters: Parameters, seed: int, bins: int) -> dict[str, Any]:
    """Return all of XGBoost's settings."""
    return {
        **parameters,
        "objective": "reg:pseudohubererror",
        "huber_slope": _HUBER_SLOPE,
        "tree_method": "hist",
        "max_bin": bins,
        "base_score": 0.0,
        "seed": seed,
        "nthread": 1,
        "eval_metric": "mae",
        "verbosity": 0,
    }
