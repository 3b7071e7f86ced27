import json

import numpy as np
import pytest

from diamond_adapters.in_memory import InMemoryModelRepository, InMemorySource
from diamond_core import DiamondTable, ModelNotFound, TooFewStones, evaluate, in_holdout
from diamond_core.breakdown import groups_of
from diamond_core.model_card import ModelId
from diamond_core.similarity import sorted_samples
from diamond_core.testing import FormulaModel, a_card, a_fitted_model, some_stones
from diamond_core.use_cases.compare_models import CompareModels

STONES = some_stones(2000)
GOOD, HIGH = ModelId("good"), ModelId("high")


@pytest.fixture
def compare():
    repository = InMemoryModelRepository()
    for name, factor in ((GOOD, 1.0), (HIGH, 1.2)):
        card = a_card(name)
        repository.publish(card, a_fitted_model(STONES, factor=factor), sorted_samples(STONES))
    return CompareModels(repository)


def test_scores_both_on_the_hold_out_alone(compare):
    found = compare(HIGH, GOOD, [InMemorySource(STONES)])
    holdout = STONES[in_holdout(STONES)]
    assert found.stones == len(holdout)
    for scored, factor in zip(found.models, (1.2, 1.0), strict=True):
        assert scored.metrics == evaluate(holdout.price, FormulaModel(factor).price(holdout))
    assert found.better == GOOD
    assert found.difference.high < 0
    assert compare(GOOD, HIGH, [InMemorySource(STONES)]).better == GOOD


def test_finds_no_better_one_of_two_equals(compare):
    assert compare(GOOD, GOOD, [InMemorySource(STONES)]).better is None


def test_breaks_the_errors_down_by_price_and_by_grade(compare):
    found = compare(GOOD, HIGH, [InMemorySource(STONES)])
    holdout = STONES[in_holdout(STONES)]
    errors = np.abs(FormulaModel(1.2).price(holdout) - holdout.price)
    by = {}
    for group in found.groups:
        by.setdefault(group.by, []).append(group)
    assert list(by) == ["price", "cut", "color", "clarity"]
    for groups in by.values():
        assert sum(group.stones for group in groups) == found.stones
        total = sum(group.mae[1] * group.stones for group in groups) / found.stones
        assert total == pytest.approx(errors.mean())
    assert [group.name for group in by["cut"]] == ["Fair", "Good", "Very Good", "Premium", "Ideal"]


def test_tells_whether_the_models_know_this_data(compare):
    same = compare(GOOD, HIGH, [InMemorySource(some_stones(200))])
    assert [each.same_data for each in same.models] == [True, True]
    other = compare(GOOD, HIGH, [InMemorySource(STONES)])
    assert [each.same_data for each in other.models] == [False, False]


def test_gives_plain_json(compare):
    values = compare(GOOD, HIGH, [InMemorySource(STONES)]).to_json()
    assert json.loads(json.dumps(values))["groups"][0]["stones"] == 78
    assert [each["id"] for each in values["models"]] == [GOOD, HIGH]
    assert set(values["mae_difference"]) == {"mean", "low", "high"}


def test_refuses_too_few_stones(compare):
    with pytest.raises(TooFewStones, match="held-out stones are too few to compare"):
        compare(GOOD, HIGH, [InMemorySource(STONES[:5])])


def test_refuses_a_model_that_is_not_there(compare):
    with pytest.raises(ModelNotFound):
        compare(GOOD, ModelId("nothing"), [InMemorySource(STONES)])


def test_makes_groups_of_few_and_of_equal_stones():
    one = STONES[:1]
    assert [group.by for group in groups_of(one)] == ["price", "cut", "color", "clarity"]
    rows = STONES.rows.copy()
    rows["price"] = 500.0
    bands = [group for group in groups_of(DiamondTable(rows)) if group.by == "price"]
    assert [group.name for group in bands] == ["500 to 500"] * 5
    assert groups_of(STONES[:0]) == []
