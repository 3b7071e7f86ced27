"""The prices around a stone: one grade up and down, other weights, the curve."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from histories import following
from hypothesis import given
from hypothesis import strategies as st
from strategies import some_measured

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    ChampionFollower,
    Clarity,
    Color,
    Cut,
    Diamond,
    InvalidDiamond,
    ModelHistory,
    NoChampion,
    PriceDiamonds,
    PriceLadder,
)
from diamond_core.models.ladder import curve_weights, ladder_weights
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import GRADES
from diamond_core.stones.proportions import values_at
from diamond_core.stones.trade_weights import TRADE_WEIGHTS, just_below, neighbouring_weights
from diamond_core.testing import a_card, load_formula, some_stones

STONES = some_stones(400)
CARD = dataclasses.replace(a_card(), training_range={"carat": (0.2, 5.0)})

priceable = st.builds(dataclasses.replace, some_measured, carat=st.floats(0.11, 7.2))


@pytest.fixture(scope="module")
def follower():
    return following(CARD, STONES)


@given(stone=priceable)
def test_every_price_is_that_of_the_stone_that_it_names(follower, stone):
    found = PriceLadder(follower)(stone)
    price = PriceDiamonds(follower)
    own = price.one(stone)
    assert (found.price, found.low, found.high) == pytest.approx((own.price, own.low, own.high))
    for name, steps in found.grades.items():
        number = GRADES[name].numbers[getattr(stone, name)]
        for step, move in ((steps.up, 1), (steps.down, -1)):
            if not 0 <= number + move < len(GRADES[name].grades):
                assert step is None
                continue
            assert (step.field, step.value) == (name, GRADES[name].grades[number + move])
            alone = price.one(dataclasses.replace(stone, **{name: step.value}))
            assert (step.price, step.low, step.high) == pytest.approx(
                (alone.price, alone.low, alone.high), abs=0.011
            )
            assert step.difference == round(step.price - found.price, 2)
            assert step.difference_share == pytest.approx(step.price / found.price - 1, abs=6e-5)
    for step in found.weights:
        for carat, expected in ((step.value, step.price), (step.carat_below, step.price_below)):
            (alone,) = price.many(_of(values_at(stone, carat))).prices
            assert expected == pytest.approx(alone, abs=0.011)
        assert step.jump == round(step.price - step.price_below, 2)
    (here,) = (each for each in found.curve if each.carat == stone.carat)
    assert (here.price, here.low, here.high) == (found.price, found.low, found.high)


def _of(values):
    return DiamondTable.of_stored({name: [value] for name, value in values.items()})


def test_prices_everything_in_one_call(monkeypatch):
    follower = following(CARD, STONES[np.zeros(5, dtype=np.intp)])
    model = follower.get().model
    calls = []
    original = type(model).price
    monkeypatch.setattr(
        type(model), "price", lambda self, stones: calls.append(1) or original(self, stones)
    )
    PriceLadder(follower)(STONES.diamond(0))
    assert len(calls) == 1


def test_shows_the_neighbouring_weights_and_the_stones_own():
    limits = (0.1, 10.0)
    assert ladder_weights(1.1, limits) == [0.9, 1.0, 1.2, 1.5]
    assert ladder_weights(1.0, limits) == [0.7, 0.9, 1.0, 1.2, 1.5]
    assert ladder_weights(0.2, limits) == [0.3, 0.4]
    assert ladder_weights(9.0, limits) == [4.0, 5.0]
    assert ladder_weights(1.1, (0.9, 1.3)) == [1.0, 1.2]  # 0.89 ct can't be priced


@given(
    st.floats(0.001, 1000.0) | st.sampled_from(TRADE_WEIGHTS),
    st.floats(0.001, 1000.0),
    st.floats(1.0, 1e6),
)
def test_prices_no_weight_beyond_the_limits(carat, minimum, factor):
    low, high = limits = min(minimum, carat), max(min(minimum * factor, 1000.0), carat)
    weights = ladder_weights(carat, limits)
    curve = curve_weights(carat, limits)
    assert all(low <= just_below(each) < each <= high for each in weights)
    assert all(low <= each <= high for each in curve)
    assert all(before < after for before, after in pairwise(curve))
    assert {carat, *weights, *map(just_below, weights)} <= set(curve)
    beyond = [each for each in (low, high) if each != carat]
    assert all(0.001 <= each <= 1000.0 for each in beyond)


@given(st.floats(0.001, 20.0), st.integers(1, 3), st.floats(0.001, 1.0), st.floats(1.0, 10.0))
def test_neighbours_are_the_nearest_on_each_side(carat, each_side, low, high):
    found = neighbouring_weights(carat, each_side, low, high)
    possible = [each for each in TRADE_WEIGHTS if just_below(each) >= low and each <= high]
    lower = sorted((each for each in possible if each < carat), key=lambda each: carat - each)
    higher = sorted((each for each in possible if each > carat), key=lambda each: each - carat)
    expected = {*lower[:each_side], *higher[:each_side], *({carat} & {*possible})}
    assert found == sorted(expected)


@given(some_measured, st.floats(0.01, 1000.0))
def test_another_weight_keeps_the_proportions(stone, carat):
    values = values_at(stone, carat)
    assert values["carat"] == carat
    for name in ("cut", "color", "clarity", "depth", "table"):
        assert values[name] == getattr(stone, name)
    for name in "xy":
        length = getattr(stone, name)
        assert (values[name] is None) == (length is None)
        if length is not None:
            assert values[name] ** 3 / carat == pytest.approx(length**3 / stone.carat)
    assert values_at(stone, stone.carat) == {name: getattr(stone, name) for name in values}


def test_has_no_ladder_for_a_stone_of_which_nothing_is_known(follower):
    stone = Diamond(carat=50.0, cut=Cut.IDEAL, color=Color.G, clarity=Clarity.VS1)
    with pytest.raises(InvalidDiamond, match="to be priced"):
        PriceLadder(follower)(stone)


def test_has_no_ladder_without_a_champion():
    follower = ChampionFollower(ModelHistory(InMemoryModelRepository(), load_formula))
    stone = Diamond(carat=1, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
    with pytest.raises(NoChampion):
        PriceLadder(follower)(stone)
