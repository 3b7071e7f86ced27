"""What was paid for comparable stones, beside a price; and which stones are near in price."""

from __future__ import annotations

import dataclasses
from math import log

import numpy as np
import pytest
from histories import following
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import (
    Clarity,
    Color,
    Cut,
    Diamond,
    DiamondTable,
    FindSimilar,
    PriceLadder,
    sorted_samples,
)
from diamond_core.models.comparables import compare_with_sold
from diamond_core.models.price_distance import price_distances
from diamond_core.stones.fields import GRADES
from diamond_core.testing import FormulaModel, a_card, some_stones
from diamond_core.use_cases.find_similar import nearest_in_price
from diamond_core.use_cases.model_history import LoadedModel

DATA = a_card().data
WEIGHTS = [0.3, 0.5, 0.7, 0.71, 1.0, 1.01]
some_stone = st.builds(
    Diamond,
    carat=st.sampled_from(WEIGHTS) | st.floats(0.2, 2.0),
    cut=st.sampled_from([Cut.FAIR, Cut.GOOD, Cut.IDEAL]),
    color=st.sampled_from([Color.J, Color.I, Color.D]),
    clarity=st.sampled_from([Clarity.IF, Clarity.VVS1]),
)


class OddModel:
    """Grades count differently, and the price jumps at 1 carat."""

    def price(self, stones):
        carat, *grades = stones.features(("carat", "cut", "color", "clarity")).astype(float).T
        factors = zip((1.05, 1.11, 1.2), grades, strict=True)
        jump = np.where(carat >= 1.0, 1.15, 1.0)
        return 4000.0 * carat**1.9 * jump * np.prod([base**grade for base, grade in factors], 0)


def distance(model, asked, other):
    """The plain way: one change after the other, each priced alone."""
    total = 0.0
    for name in ("carat", "cut", "color", "clarity"):
        changed = dataclasses.replace(asked, **{name: getattr(other, name)})
        before, after = (float(model.price(each)[0]) for each in (asked, changed))
        total += abs(log(after / before))
    return round(total, 9)


def by_looking_at_every_stone(model, samples, asked, n):
    everything = list(samples)
    for steps in range(1, 8):
        near = [
            at
            for at, each in enumerate(everything)
            if all(
                abs(GRADES[name].numbers[getattr(each, name)] - GRADES[name].numbers[grade]) <= steps
                for name, grade in (
                    ("cut", asked.cut), ("color", asked.color), ("clarity", asked.clarity)
                )
            )
        ]  # fmt: skip
        if len(near) >= n:
            break
    ranked = sorted(
        (distance(model, asked, everything[at]), abs(everything[at].carat - asked.carat), at)
        for at in near
    )
    return ranked[:n], len(near)


@given(st.lists(some_stone, min_size=1, max_size=40), some_stone, st.integers(1, 12))
def test_near_stones_agree_with_looking_at_every_stone(stones, asked, n):
    table = DiamondTable.from_diamonds(stones, range(1, len(stones) + 1))
    samples = sorted_samples(table)
    for model in (OddModel(), FormulaModel()):
        served = LoadedModel.of(a_card(), model, samples)
        found = nearest_in_price(served, asked, n)
        expected, available = by_looking_at_every_stone(model, samples, asked, n)
        assert found.available == available
        assert found.price_distances == [each for each, _, _ in expected]
        np.testing.assert_array_equal(
            found.stones.price, samples.price[[at for _, _, at in expected]]
        )
        assert found.carat_differences == [
            round(samples.diamond(at).carat - asked.carat, 6) for _, _, at in expected
        ]


def test_near_stones_agree_with_looking_at_every_stone_among_many():
    samples = sorted_samples(some_stones(600))
    served = LoadedModel.of(a_card(), OddModel(), samples)
    for asked in some_stones(3, seed=5).four_cs():
        found = nearest_in_price(served, asked, 7)
        expected, _ = by_looking_at_every_stone(OddModel(), samples, asked, 7)
        assert found.price_distances == [each for each, _, _ in expected]


def test_a_stone_of_the_same_four_cs_has_no_distance():
    stones = some_stones(50)
    for stone in stones[:5]:
        distances = price_distances(FormulaModel().price, stone, stones)
        assert distances.min() == 0.0
        assert (distances >= 0.0).all()


def test_a_better_grade_does_not_make_up_for_a_lower_weight():
    asked = Diamond(carat=1.0, cut=Cut.GOOD, color=Color.H, clarity=Clarity.SI1)
    lighter = dataclasses.replace(asked, carat=1.1 ** (-1 / 1.7))
    both = dataclasses.replace(lighter, color=Color.G)  # the price of the asked stone
    table = DiamondTable.from_diamonds([lighter, both])
    first, second = price_distances(FormulaModel().price, asked, table)
    assert second == pytest.approx(2 * first, abs=1e-6)


def stones_sold_for(*prices, carat=1.0):
    stone = Diamond(carat=carat, cut=Cut.GOOD, color=Color.H, clarity=Clarity.SI1)
    return DiamondTable.from_diamonds([stone] * len(prices), prices)


def compared(stones, *, price=5000.0, ratio=1.0, data=DATA, same_grades=True):
    model_prices = np.full(len(stones), price / ratio)
    return compare_with_sold(
        stones,
        model_prices,
        same_grades=same_grades,
        price=price,
        low=0.8 * price,
        high=1.25 * price,
        data=data,
    )


def test_says_where_a_price_is_among_the_comparable_stones():
    stones = stones_sold_for(4000, 4500, 5000, 5500, 6000)
    assert [compared(stones, price=each).position for each in (3999, 4000, 6000, 6001)] == [
        "below", "within", "within", "above"
    ]  # fmt: skip
    assert compared(stones).sentence() == (
        "The five nearest of the same grades (1.00 ct) sold between $4,000 and $6,000;"
        " this price is within that range."
    )
    near = compared(stones, price=7000, same_grades=False, ratio=1.2)
    assert near.sentence() == (
        "The five nearest of the same or neighbouring grades (1.00 ct) sold between $4,000 and"
        " $6,000; this price is above that. Brought to this stone, that is about $6,000."
    )


def test_warns_only_if_they_contradict_the_price():
    stones = stones_sold_for(4000, 4500, 5000, 5500, 6000)
    assert compared(stones).agrees is True
    assert compared(stones).warning() == ""
    lower = compared(stones, ratio=0.7)
    assert (lower.agrees, lower.expected) == (False, 3500.0)
    assert lower.warning() == (
        "The prediction and the comparable stones disagree: brought to this stone, what they sold"
        " for is about $3,500, below the price range."
    )
    assert compared(stones, ratio=2.0).warning().endswith("$10,000, above the price range.")


def test_too_few_stones_contradict_nothing():
    none, one, two = (compared(stones_sold_for(*[9000] * count)) for count in (0, 1, 2))
    assert (none.position, none.expected, none.agrees) == (None, None, None)
    assert none.sentence() == "The training data has no stone to compare this price with."
    assert one.sentence().startswith(
        "The nearest stone of the same grades (1.00 ct) sold for $9,000"
    )
    assert two.agrees is None
    assert one.warning() == two.warning() == ""


def test_prices_of_another_level_contradict_nothing():
    stones = stones_sold_for(9000, 9000, 9000)
    moved = dataclasses.replace(DATA, price_levels=(("2026-01-01", 0.8), ("2026-06-01", 1.0)))
    same = dataclasses.replace(DATA, price_levels=(("2026-01-01", 1.01), ("2026-06-01", 1.0)))
    assert compared(stones, data=moved).agrees is None
    assert "Prices have moved" in compared(stones, data=moved).sentence()
    assert compared(stones, data=same).agrees is False


@given(st.lists(st.floats(1.0, 1e6), min_size=1, max_size=5), st.floats(1.0, 1e6))
def test_every_number_of_a_comparison_is_of_its_stones(prices, price):
    found = compared(stones_sold_for(*prices), price=price)
    assert (found.lowest, found.highest) == (min(prices), max(prices))
    assert (found.position == "within") == (min(prices) <= price <= max(prices))
    assert found.expected == pytest.approx(float(np.median(prices)), abs=0.006)


def test_the_ladder_compares_with_the_same_grades_where_there_are_enough():
    stone = Diamond(carat=1.0, cut=Cut.GOOD, color=Color.H, clarity=Clarity.SI1)
    others = [dataclasses.replace(stone, color=Color.G)] * 3
    enough = DiamondTable.from_diamonds([*[stone] * 5, *others], range(1000, 9000, 1000))
    found = PriceLadder(following(a_card(), enough))(stone).comparables
    assert (found.same_grades, found.lowest, found.highest) == (True, 1000.0, 5000.0)
    few = enough[np.array([0, 1, 2, 5, 6, 7])]
    found = PriceLadder(following(a_card(), few))(stone).comparables
    assert (found.same_grades, len(found.stones)) == (False, 5)
    assert sorted(found.stones.price.tolist())[:3] == [1000.0, 2000.0, 3000.0]
    near = FindSimilar(following(a_card(), few)).near(stone, 5)
    np.testing.assert_array_equal(near.stones.price, found.stones.price)


def test_the_ladder_brings_their_prices_to_the_stone():
    stone = Diamond(carat=1.0, cut=Cut.GOOD, color=Color.H, clarity=Clarity.SI1)
    lighter = dataclasses.replace(stone, carat=0.9)
    factor = 1.17
    paid = FormulaModel().price(lighter)[0] * factor
    stones = DiamondTable.from_diamonds([lighter] * 5, [paid] * 5)
    found = PriceLadder(following(a_card(), stones))(stone)
    assert found.comparables.expected == pytest.approx(found.price * factor, rel=1e-4)
