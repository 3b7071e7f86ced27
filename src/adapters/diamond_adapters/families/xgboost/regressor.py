"""Prices by a bounded base and boosted trees on its residuals, in order by construction."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.features import FOUR_CS
from diamond_adapters.families.linear.design import Matrix
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import (
    PriceTables,
    axis_weights,
    grid,
    ordered,
)
from diamond_adapters.families.weights import Weights, times
from diamond_adapters.families.xgboost.base import BoundedBase
from diamond_adapters.families.xgboost.boost import Boost, TrainingRows, boosted_here
from diamond_adapters.families.xgboost.effort import MAXIMUM_COPIES, VERY_MANY_STONES
from diamond_adapters.families.xgboost.graph import export
from diamond_adapters.families.xgboost.trees import (
    BINS,
    TREE_FEATURES,
    Parameters,
    booster_settings,
    split_by_group,
    tree_features,
)

DEFAULTS: Final[Parameters] = {
    "learning_rate": 0.04,
    "max_depth": 6,
    "min_child_weight": 8.0,
    "subsample": 0.7,
    "colsample_bynode": 0.7,
    "lambda": 5.0,
    "alpha": 1e-3,
}
"""For up to ``MANY_STONES``."""
MANY_STONES: Final = 20_000

_PRICE_WEIGHT: Final = 0.15


def defaults_for(stones: int) -> Parameters:
    """Return the default parameters: more stones can fill deeper trees, and need fewer of them.

    On the bundled stones, a rate of 0.08 takes half the trees and the time of 0.04, for 0.1 % of error.
    """
    if stones <= MANY_STONES:
        return DEFAULTS
    if stones <= VERY_MANY_STONES:
        return {**DEFAULTS, "max_depth": 8, "learning_rate": 0.08}
    return {**DEFAULTS, "max_depth": 10, "learning_rate": 0.1}


class BoostedPriceRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """A scikit-learn regressor of prices (USD) on features (n, 9) in the order of ``FEATURES``.

    The base gives the slope over weight, also beyond the training weights; the trees predict its
    residuals. They are trained on each stone twice, once without its measurements, so that a price
    from the 4 Cs alone is nearly as accurate as one from all fields. Their loss is the pseudo-Huber
    loss of the log price, which is closer to the mean absolute error than a squared loss. Training
    uses one thread, so the model is the same on any machine.

    Each tree uses one group of features, see ``trees``. The base and the trees of the first group
    are tabulated; with the trees of the second group for unknown measurements, they are the table
    of the 4 Cs. So a price from the 4 Cs alone is looked up, and never falls with a better cut,
    color or clarity or a greater weight. A price from measurements is the other table, in order
    along color and clarity, and the trees of the second group, which never fall with them.

    Parameters:
        parameters: XGBoost's; None: the defaults.
        rounds: the number of trees.
        seed: for the sampling of each tree's rows and columns.
        order_cut: with measurements, too, a better cut never lowers the price.

    Unknown features are NaN. Predictions follow the ``PriceRule`` of the training prices.
    """

    def __init__(
        self,
        parameters: Parameters | None = None,
        rounds: int = 400,
        seed: int = 0,
        order_cut: bool = False,
    ) -> None:
        self.parameters = parameters
        self.rounds = rounds
        self.seed = seed
        self.order_cut = order_cut

    def fit(
        self,
        features: NDArray[Any],
        prices: Matrix,
        sample_weight: Weights = None,
        *,
        engine: Engine = HERE,
        boost: Boost = boosted_here,
    ) -> Self:
        """Fit to features (n, 9), prices (n,) in USD, and the stones' weights (n,).

        *engine* adds up the base's sums, and *boost* trains the trees.
        """
        base = fit_base(features, prices, sample_weight, engine)
        rows = training_rows(features, prices, sample_weight, base, also_four_cs=True)
        parameters = self.parameters or defaults_for(len(features))
        settings = booster_settings(parameters, self.seed, BINS, order_cut=self.order_cut)
        booster = boost(settings, rows, self.rounds)
        self.importance_ = _importance(booster)
        of_four_cs, self.trees_ = split_by_group(booster)
        columns = tree_features(grid())
        known = base.predict(grid()) + of_four_cs.inplace_predict(columns)
        unmeasured = known + self.trees_.inplace_predict(columns)
        weights = axis_weights(features, sample_weight)
        along = FOUR_CS[1:] if self.order_cut else FOUR_CS[2:]
        self.tables_ = PriceTables.of(ordered(unmeasured, weights), ordered(known, weights, along))
        self.price_rule_ = PriceRule.of(prices)
        self.n_features_in_ = features.shape[1]
        return self

    def predict(self, features: NDArray[Any]) -> Matrix:
        """Return prices in USD, shape (n,)."""
        measured = ~np.isnan(features[:, len(FOUR_CS) :]).all(axis=1)
        trees = self.trees_.inplace_predict(tree_features(features))
        logs = self.tables_.at(features, measured.astype(np.intp)) + np.where(measured, trees, 0.0)
        return self.price_rule_.to_usd(logs, log_price=True)

    def to_onnx(self) -> bytes:
        """Return the fitted model as an ONNX graph."""
        return export(self.tables_, self.trees_, self.price_rule_)


def _importance(booster: xgb.Booster) -> dict[str, float]:
    """Return each tree feature's share of the total gain of all splits, largest first."""
    scores = booster.get_score(importance_type="total_gain")
    gains = dict.fromkeys(TREE_FEATURES, 0.0)
    for at, name in enumerate(TREE_FEATURES):  # the groups' copies of a feature count as one
        gains[name] += float(np.sum(scores.get(f"f{at}", 0.0)))
    total = sum(gains.values()) or 1.0
    return dict(sorted(((name, gain / total) for name, gain in gains.items()), key=lambda e: -e[1]))


def importance_of_trees(prices: Matrix, weights: Weights) -> Matrix:
    """Return how much each stone counts in the fit of log prices, shape (n,), 1 on average.

    An error in USD is about the price times the error of the logarithm, so expensive stones have a
    larger weight; the full price as weight would be too noisy.
    """
    importance = times(prices**_PRICE_WEIGHT, weights)
    scaled: Matrix = importance / importance.mean()
    return scaled


def fit_base(
    features: NDArray[Any], prices: Matrix, weights: Weights, engine: Engine = HERE
) -> BoundedBase:
    """Fit the base to prices in USD."""
    importance = importance_of_trees(prices, weights)
    return BoundedBase.fit(features, np.log(prices), importance, engine)


def training_rows(
    features: NDArray[Any],
    prices: Matrix,
    weights: Weights,
    base: BoundedBase,
    *,
    also_four_cs: bool,
) -> TrainingRows:
    """Return the training rows: each stone, with *also_four_cs* also without measurements.

    Of many stones, only ``MAXIMUM_COPIES`` are there without measurements, evenly from all of them.
    The target is the log price minus that of the base.
    """
    return TrainingRows(
        features,
        np.log(prices) - base.predict(features),
        importance_of_trees(prices, weights),
        slice(None, None, -(-len(features) // MAXIMUM_COPIES)) if also_four_cs else slice(0),
    )
