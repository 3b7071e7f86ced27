import numpy as np
import pytest

from diamond_adapters.in_memory import InMemoryModelRepository, InMemoryStoneSource
from diamond_core import (
    CompareModels,
    DiamondTable,
    Evaluation,
    ModelHistory,
    ModelId,
    ModelNotFound,
    TooFewStones,
    error_slices,
    in_holdout,
    metrics_of,
)
from diamond_core.testing import FormulaModel, a_card, a_fitted_model, load_formula, some_stones

STONES = some_stones(2000)
HOLDOUT = STONES[in_holdout(STONES)]
GOOD, HIGH = ModelId("good"), ModelId("high")


@pytest.fixture
def compare():
    history = ModelHistory(InMemoryModelRepository(), load_formula)
    for name, factor in ((GOOD, 1.0), (HIGH, 1.2)):
        history.publish(a_card(name), a_fitted_model(STONES, factor=factor), STONES)
    return CompareModels(history)


def evaluation(stones, factor=1.0):
    return Evaluation.of(stones, FormulaModel(factor).price(stones), a_card().price_ranges)


def test_scores_both_on_the_hold_out_alone(compare):
    found = compare(HIGH, GOOD, [InMemoryStoneSource(STONES)])
    assert found.stones == len(HOLDOUT)
    for scored, factor in zip(found.models, (1.2, 1.0), strict=True):
        prices = FormulaModel(factor).price(HOLDOUT)
        assert scored.evaluation.metrics() == metrics_of(HOLDOUT.price, prices)
    assert found.better == GOOD
    assert found.difference.high < 0
    assert compare(GOOD, HIGH, [InMemoryStoneSource(STONES)]).better == GOOD


def test_finds_no_better_one_of_two_equals(compare):
    assert compare(GOOD, GOOD, [InMemoryStoneSource(STONES)]).better is None


def test_breaks_the_errors_down_by_price_and_by_grade(compare):
    found = compare(GOOD, HIGH, [InMemoryStoneSource(STONES)])
    errors = np.abs(FormulaModel(1.2).price(HOLDOUT) - HOLDOUT.price)
    first, second = (scored.slices for scored in found.models)
    assert [(s.by, s.name, s.stones) for s in first] == [(s.by, s.name, s.stones) for s in second]
    by = {}
    for each in second:
        by.setdefault(each.by, []).append(each)
    assert list(by) == ["price", "cut", "color", "clarity"]
    for slices in by.values():
        assert sum(each.stones for each in slices) == found.stones
        total = sum(each.mae * each.stones for each in slices) / found.stones
        assert total == pytest.approx(errors.mean())
    assert by["price"][0].stones == 78
    assert [each.name for each in by["cut"]] == ["Fair", "Good", "Very Good", "Premium", "Ideal"]


def test_says_whether_the_models_know_this_data(compare):
    same = compare(GOOD, HIGH, [InMemoryStoneSource(some_stones(200))])
    assert [each.same_data for each in same.models] == [True, True]
    other = compare(GOOD, HIGH, [InMemoryStoneSource(STONES)])
    assert [each.same_data for each in other.models] == [False, False]


def test_names_both_models_and_their_difference_in_the_order_asked_for(compare):
    found = compare(GOOD, HIGH, [InMemoryStoneSource(STONES)])
    assert [each.card.id for each in found.models] == [GOOD, HIGH]
    assert found.difference.champion == GOOD
    good, high = (each.evaluation.metrics().mae for each in found.models)
    assert found.difference.champion_mae == pytest.approx(good)
    assert found.difference.difference == pytest.approx(high - good)
    assert found.difference.low < found.difference.difference < found.difference.high


def test_refuses_too_few_stones(compare):
    with pytest.raises(TooFewStones, match="held-out stones are too few to compare"):
        compare(GOOD, HIGH, [InMemoryStoneSource(STONES[:5])])


def test_refuses_a_model_that_is_not_there(compare):
    with pytest.raises(ModelNotFound):
        compare(GOOD, ModelId("nothing"), [InMemoryStoneSource(STONES)])


def test_measures_each_slice_of_the_errors():
    found = evaluation(HOLDOUT, 1.2)
    ideal = HOLDOUT.column("cut") == 4
    actual, predicted = HOLDOUT.price[ideal], found.predicted[ideal]
    low, high = a_card().price_ranges.of_table(HOLDOUT[ideal], predicted)
    (each,) = (s for s in error_slices(found) if (s.by, s.name) == ("cut", "Ideal"))
    assert each.stones == ideal.sum()
    assert each.mae == pytest.approx(np.abs(predicted - actual).mean())
    assert each.mape == pytest.approx((np.abs(predicted - actual) / actual).mean())
    assert each.bias == pytest.approx((predicted / actual).mean() - 1.0)
    assert each.coverage == pytest.approx(((low <= actual) & (actual <= high)).mean())


def test_makes_slices_of_few_and_of_equal_stones():
    one = error_slices(evaluation(STONES[:1]))
    assert [each.by for each in one] == ["price", "cut", "color", "clarity"]
    rows = STONES.rows_of_today()
    rows["price"] = 500.0
    slices = error_slices(evaluation(DiamondTable(rows)))
    assert [each.name for each in slices if each.by == "price"] == ["500 to 500"] * 5
    assert error_slices(evaluation(STONES[:0])) == []
