import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from diamond_core import compare, evaluate

prices = st.lists(st.floats(1, 1e5), min_size=2, max_size=50)


@given(prices, st.randoms(use_true_random=False))
def test_agrees_with_scikit_learn(actual, random):
    actual = np.array(actual)
    predicted = np.array([price * random.uniform(0.5, 2.0) for price in actual])
    found = evaluate(actual, predicted)
    assert found.mae == pytest.approx(metrics.mean_absolute_error(actual, predicted))
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(actual, predicted))
    assert found.mape == pytest.approx(metrics.mean_absolute_percentage_error(actual, predicted))
    if np.ptp(actual) > 1e-3 * actual.max():
        assert found.r2 == pytest.approx(metrics.r2_score(actual, predicted), rel=1e-6, abs=1e-6)


def test_finds_the_worst_tenth_by_actual_price():
    actual = np.arange(1.0, 101.0)
    predicted = actual + np.where(actual > 90, 50.0, 1.0)
    assert evaluate(actual, predicted).worst_decile == 50.0


def test_tells_a_better_model_from_noise():
    random = np.random.default_rng(0)
    actual = random.uniform(500, 5000, 2000)
    champion = actual + random.normal(0, 300, 2000)
    better = compare("c", actual, champion, actual + random.normal(0, 250, 2000))
    same = compare("c", actual, champion, actual + random.normal(0, 300, 2000))
    assert better.is_better
    assert not same.is_better
    assert better.low < better.difference < better.high < 0
    assert better.champion_mae == pytest.approx(np.abs(champion - actual).mean())


def test_finds_a_model_no_better_than_itself():
    actual = np.arange(1.0, 50.0)
    same = compare("c", actual, actual + 1, actual + 1)
    assert (same.difference, same.low, same.high, same.is_better) == (0, 0, 0, False)
