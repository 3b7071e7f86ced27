"""Our price ranges are those of MAPIE's normalised split-conformal regression on log prices."""

from __future__ import annotations

import numpy as np
from mapie.conformity_scores import ResidualNormalisedScore
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin

from diamond_core import FIELDS, PriceRanges
from diamond_core.models import error_scale, price_ranges
from diamond_core.testing import FormulaModel, some_stones


class Column(RegressorMixin, BaseEstimator):
    """Predicts what one column of its input says."""

    def __init__(self, number=0):
        self.number = number

    def fit(self, columns, target=None):
        self.fitted_ = True
        return self

    def predict(self, columns):
        return columns[:, self.number]


def log_price_and_usual_error(ranges, stones, prices):
    low, high = ranges.of_table(stones, prices)
    return np.stack([np.log(prices), np.log(high / low) / 2 / ranges.measured.quantile], axis=1)


def test_agrees_with_mapie(monkeypatch):
    # MAPIE's scores come from one scale, ours from the scales of the other folds
    monkeypatch.setattr(error_scale, "folds", lambda table, count, seed: np.zeros(len(table), int))
    monkeypatch.setattr(price_ranges, "GROWTH", 0.0)  # MAPIE knows no gaps
    training, unseen = some_stones(3000), some_stones(500, seed=1)
    prices = FormulaModel().price(training)
    new_prices = FormulaModel(1.05).price(unseen)
    ranges = PriceRanges.calibrate(training, prices, prices, tuple(FIELDS))

    score = ResidualNormalisedScore(Column(1).fit(None), prefit=True)
    mapie = SplitConformalRegressor(
        Column(0).fit(None), confidence_level=0.9, conformity_score=score, prefit=True
    )
    mapie.conformalize(log_price_and_usual_error(ranges, training, prices), np.log(training.price))
    _, intervals = mapie.predict_interval(log_price_and_usual_error(ranges, unseen, new_prices))

    ours = np.stack(ranges.of_table(unseen, new_prices), axis=1)
    np.testing.assert_allclose(ours, np.exp(intervals[:, :, 0]), rtol=1e-9)
