"""How often a better stone is cheaper, counted on models whose faults are known."""

import numpy as np
import pytest

from diamond_core import four_c_inversions, measured_inversions
from diamond_core.models import inversions
from diamond_core.testing import (
    FormulaModel,
    ModelContract,
    ModelFamilyContract,
    a_fitted_model,
    some_stones,
)

NOTHING = {"carat": 0.0, "cut": 0.0, "color": 0.0, "clarity": 0.0}


def formula(stones):
    return FormulaModel().price(stones)


def cheap_premium(stones):
    """Price a Premium cut like a Fair one."""
    (cut,) = stones.features(["cut"]).T
    return formula(stones) * np.where(cut == 3, 1.1**-3, 1.0)


def test_counts_nothing_where_better_is_never_cheaper():
    assert four_c_inversions(formula) == NOTHING
    stones = some_stones(200)
    assert measured_inversions(formula, stones) == {"cut": 0.0, "color": 0.0, "clarity": 0.0}


def test_counts_the_share_of_steps_that_lower_the_price():
    assert four_c_inversions(cheap_premium) == {**NOTHING, "cut": 0.25}  # one step of four
    stones = some_stones(200)
    cut = stones.column("cut")
    shares = measured_inversions(cheap_premium, stones)
    assert shares == {
        "cut": pytest.approx((cut == 2).sum() / (cut < 4).sum()), "color": 0.0, "clarity": 0.0
    }  # fmt: skip


def test_of_many_stones_counts_those_of_some(monkeypatch):
    stones = some_stones(1000)
    monkeypatch.setattr(inversions, "ENOUGH", 400)
    found = measured_inversions(cheap_premium, stones)
    rows = np.arange(0, 1000, 2)
    monkeypatch.undo()
    assert found == measured_inversions(cheap_premium, stones[rows])


def test_counts_steps_of_weight_between_the_given_weights():
    def falling_above_one_carat(stones):
        (carat,) = stones.features(["carat"]).T
        return 1000.0 - np.maximum(carat - 1.0, 0.0) * 100.0

    found = four_c_inversions(falling_above_one_carat, np.array([0.5, 1.0, 1.5, 2.0]))
    assert found == {**NOTHING, "carat": pytest.approx(2 / 3)}


def test_compares_in_cents():
    def falling_by_less_than_a_cent(stones):
        (color,) = stones.features(["color"]).T
        return 1000.0 - 0.0001 * color

    assert four_c_inversions(falling_by_less_than_a_cent) == NOTHING


def test_has_no_steps_where_every_stone_is_the_best():
    rows = some_stones(20).rows_of_today()
    rows["cut"], rows["color"], rows["clarity"] = 4, 6, 7
    best = type(some_stones(1))(rows)
    assert measured_inversions(formula, best) == {"cut": 0.0, "color": 0.0, "clarity": 0.0}


class CheapPremium:
    name = "cheap"

    def price(self, stones):
        return cheap_premium(stones)

    def fit(self, table, **options):
        return a_fitted_model(table, model=self)


@pytest.mark.parametrize("promised", ["ordered", "ordered_measured"])
def test_the_contract_of_models_refuses_a_broken_promise(promised):
    contract = ModelContract()
    contract.test_is_never_cheaper_for_a_better_stone_where_order_is_promised(CheapPremium())
    setattr(contract, promised, ("color", "cut"))
    with pytest.raises(AssertionError):
        contract.test_is_never_cheaper_for_a_better_stone_where_order_is_promised(CheapPremium())


def test_the_contract_of_families_refuses_a_broken_promise():
    with pytest.raises(AssertionError):
        ModelFamilyContract().test_keeps_the_order_that_it_promises(CheapPremium())
