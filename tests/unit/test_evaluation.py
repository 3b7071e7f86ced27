import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from diamond_core import DiamondTable, Evaluation, compare, metrics_of
from diamond_core.testing import a_card, some_stones

prices = st.lists(st.floats(1, 1e5), min_size=2, max_size=50)


def evaluation(actual, predicted, *, width=1.1):
    """Return the evaluation of some stones of *actual* prices, each range *width* wide."""
    rows = some_stones(len(actual)).rows_of_today()
    rows["price"] = actual
    return Evaluation(
        stones=DiamondTable(rows),
        predicted=predicted,
        low=predicted / width,
        high=predicted * width,
    )


@given(prices, st.randoms(use_true_random=False))
def test_agrees_with_scikit_learn(actual, random):
    actual = np.array(actual)
    predicted = np.array([price * random.uniform(0.5, 2.0) for price in actual])
    found = metrics_of(actual, predicted)
    assert found.mae == pytest.approx(metrics.mean_absolute_error(actual, predicted))
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(actual, predicted))
    assert found.mape == pytest.approx(metrics.mean_absolute_percentage_error(actual, predicted))
    if np.ptp(actual) > 1e-3 * actual.max():
        assert found.r2 == pytest.approx(metrics.r2_score(actual, predicted), rel=1e-6, abs=1e-6)


def test_finds_the_worst_tenth_by_actual_price():
    actual = np.arange(1.0, 101.0)
    predicted = actual + np.where(actual > 90, 50.0, 1.0)
    assert metrics_of(actual, predicted).worst_decile == 50.0
    assert evaluation(actual, predicted).metrics() == metrics_of(actual, predicted)


def test_distinguishes_a_better_model_from_noise():
    random = np.random.default_rng(0)
    actual = random.uniform(500, 5000, 2000)
    champion = evaluation(actual, actual + random.normal(0, 300, 2000))
    better = compare("c", champion, evaluation(actual, actual + random.normal(0, 250, 2000)))
    same = compare("c", champion, evaluation(actual, actual + random.normal(0, 300, 2000)))
    assert better.is_better
    assert not same.is_better
    assert better.low < better.difference < better.high < 0
    assert better.champion_mae == pytest.approx(np.abs(champion.predicted - actual).mean())


def test_counts_equal_stones_once():
    random = np.random.default_rng(1)
    actual = random.uniform(500, 5000, 12)
    errors, others = random.normal(0, 300, 12), random.normal(0, 100, 12)
    once = compare("c", evaluation(actual, actual + errors), evaluation(actual, actual + others))

    def repeated(predicted):
        rows = np.repeat(evaluation(actual, predicted).stones.rows_of_today(), 50)
        return Evaluation(
            stones=DiamondTable(rows),
            predicted=np.repeat(predicted, 50),
            low=np.repeat(predicted, 50),
            high=np.repeat(predicted, 50),
        )

    often = compare("c", repeated(actual + errors), repeated(actual + others))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_needs_more_of_a_difference_from_few_stones():
    """How often is a model called better that is not? At most one time in 20, however few."""
    random = np.random.default_rng(2)
    for size in (10, 30):
        actual = random.uniform(500, 5000, size)
        found = [
            compare(
                "c",
                evaluation(actual, actual + random.normal(0, 300, size)),
                evaluation(actual, actual + random.normal(0, 300, size)),
            ).is_better
            for _ in range(80)
        ]
        assert sum(found) <= 4


def test_finds_a_model_no_better_than_itself():
    actual = np.arange(1.0, 50.0)
    one = evaluation(actual, actual + 1)
    same = compare("c", one, one)
    assert (same.difference, same.low, same.high, same.is_better) == (0, 0, 0, False)


def test_knows_which_prices_their_ranges_cover():
    actual = np.array([100.0, 100.0, 100.0, 100.0, 100.0])
    predicted = np.array([100.0, 109.0, 111.0, 92.0, 90.0])
    found = evaluation(actual, predicted)
    assert found.covered.tolist() == [True, True, False, True, False]
    assert found.absolute_errors.tolist() == [0.0, 9.0, 11.0, 8.0, 10.0]
    assert found.coverage_by(predicted) == (0.0, 1.0, 1.0, 1.0, 0.0)
    assert len(evaluation(actual[:2], predicted[:2]).coverage_by(actual[:2])) == 2


def test_takes_the_ranges_of_the_model_that_it_evaluates():
    stones = some_stones(30)
    predicted = stones.price * 1.1
    found = Evaluation.of(stones, predicted, a_card().price_ranges)
    low, high = a_card().price_ranges.of_table(stones, predicted)
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.high, high)
