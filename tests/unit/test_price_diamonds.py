import dataclasses

import numpy as np
import pytest
from histories import following
from hypothesis import given
from hypothesis import strategies as st

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    ChampionFollower,
    Clarity,
    Color,
    Cut,
    Diamond,
    DiamondTable,
    FindSimilar,
    InvalidDiamond,
    ModelHistory,
    NoChampion,
    PriceDiamonds,
    PriceRanges,
)
from diamond_core.models.model_card import training_range
from diamond_core.stones.fields import FIELDS
from diamond_core.testing import a_card, load_formula, some_stones

STONES = some_stones(400)
FEATURES = tuple(name for name in FIELDS if name != "table")
PRICES = STONES.price
RANGES = PriceRanges.calibrate(STONES, PRICES * 1.1, PRICES * 1.2, FEATURES)
CARD = a_card("formula-1", features=FEATURES, price_ranges=RANGES)


@pytest.fixture(scope="module")
def follower():
    """A follower of a champion that says to take every field but the table."""
    return following(CARD, STONES)


diamonds = st.builds(
    Diamond,
    carat=st.floats(0.11, 7.2),
    cut=st.sampled_from(Cut),
    color=st.sampled_from(Color),
    clarity=st.sampled_from(Clarity),
    depth=st.none() | st.floats(40, 80),
    table=st.none() | st.floats(40, 95),
    x=st.none() | st.floats(1, 20),
    y=st.none() | st.floats(1, 20),
)
known_diamonds = st.integers(0, len(STONES) - 1).map(STONES.diamond)


@given(st.lists(diamonds | known_diamonds, min_size=1, max_size=5))
def test_prices_one_stone_as_it_prices_many(follower, stones):
    price_diamonds = PriceDiamonds(follower)
    together = price_diamonds.many(DiamondTable.from_diamonds(stones))
    assert len(together) == len(stones)
    assumed, outside = together.assumed(), together.outside()
    remarks, which = together.remarks()
    for at, stone in enumerate(stones):
        alone = price_diamonds.one(stone)
        assert alone.assumed == assumed[at]
        assert alone.outside == outside[at]
        assert alone.warning == remarks[which[at]].warning
        assert alone.card == together.card
        assert (alone.price, alone.low, alone.high) == pytest.approx(
            (together.prices[at], together.lows[at], together.highs[at]), abs=0.011, rel=1e-12
        )


def test_gives_a_price_inside_its_range(follower):
    predictions = PriceDiamonds(follower).many(STONES)
    assert (predictions.lows <= predictions.prices).all()
    assert (predictions.prices <= predictions.highs).all()
    np.testing.assert_array_equal(predictions.prices, np.round(predictions.prices, 2))


def test_gives_every_price_in_cents_and_above_zero(follower):
    crumb = Diamond(carat=0.001, cut=Cut.FAIR, color=Color.J, clarity=Clarity.I1)
    assert RANGES.of(crumb, follower.get().model.price(crumb)[0])[0] < 0.1
    many = PriceDiamonds(follower).many(DiamondTable.from_diamonds([crumb]))
    np.testing.assert_array_equal(many.lows, np.maximum(np.round(many.lows, 2), 0.01))


@pytest.mark.parametrize("carat", [0.0999, 7.2401, 1000.0])
def test_refuses_a_weight_of_which_nothing_is_known(follower, carat):
    stone = Diamond(carat=carat, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
    prices = PriceDiamonds(follower)
    with pytest.raises(InvalidDiamond, match=r"must be from 0\.1 to 7\.24 to be priced") as refused:
        prices.one(stone)
    table = DiamondTable.from_diamonds([STONES.diamond(0), stone, STONES.diamond(1)])
    (problem,) = refused.value.problems
    assert prices.refusals(table) == {1: problem}
    assert problem.field == "carat"


@pytest.mark.parametrize("carat", [0.1, 7.24])
def test_prices_a_stone_at_the_end_of_what_is_known(follower, carat):
    stone = Diamond(carat=carat, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
    assert PriceDiamonds(follower).one(stone).outside[0] == "carat"
    assert PriceDiamonds(follower).refusals(DiamondTable.from_diamonds([stone])) == {}


def test_says_that_a_combination_was_not_seen():
    stones = some_stones(4000)
    common = stones[(stones.carat < 1.0) | (stones.column("clarity") < 4)]
    ranges = PriceRanges.calibrate(common, common.price * 1.1, common.price * 1.2, FEATURES)
    card = a_card("formula-1", price_ranges=ranges, training_range=training_range(common))
    follower = following(card, common)
    seen = Diamond(carat=0.7, cut=Cut.IDEAL, color=Color.E, clarity=Clarity.VVS2)
    not_seen = dataclasses.replace(seen, carat=2.0)
    first, second = (PriceDiamonds(follower).one(stone) for stone in (seen, not_seen))
    assert (first.outside, first.warning) == ([], None)
    assert second.outside == ["combination"]
    assert "no stone of about this weight and these grades was seen" in second.warning
    assert second.high / second.low > 1.5 * first.high / first.low


def test_says_that_no_known_stone_is_as_dear(follower):
    best = Diamond(carat=3.6, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
    prediction = PriceDiamonds(follower).one(best)
    dearest = RANGES.dearest
    assert prediction.price > dearest
    assert prediction.outside[-1] == "price"
    assert f"the dearest cost ${dearest:,.0f}" in prediction.warning


def test_names_what_was_assumed_and_what_is_outside(follower):
    stone = Diamond(carat=5, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF, table=90, x=6)
    prediction = PriceDiamonds(follower).one(stone)
    assert prediction.assumed == ["depth", "y", "z"]
    assert prediction.outside == ["carat", "table", "price"]
    assert prediction.warning.startswith(
        "Use this price with care: carat is outside the known stones' 0.2 to 2.02; table is"
    )
    assert prediction.card.id == "formula-1"


def test_calls_no_number_at_the_end_of_the_training_range_outside(follower):
    for end, beyond in zip(CARD.training_range["carat"], (0.0, np.inf), strict=True):
        stones = [
            Diamond(carat=carat, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
            for carat in (end, float(np.nextafter(end, beyond)))
        ]
        prices = PriceDiamonds(follower)
        assert [prices.one(stone).outside for stone in stones] == [[], ["carat"]]
        assert prices.many(DiamondTable.from_diamonds(stones)).outside() == [[], ["carat"]]


def test_assumes_only_what_the_model_takes(follower):
    four_cs = Diamond(carat=1, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
    prices = PriceDiamonds(follower)
    assert prices.one(four_cs).assumed == ["depth", "x", "y", "z"]
    assert prices.many(DiamondTable.from_diamonds([four_cs])).assumed() == [
        ["depth", "x", "y", "z"]
    ]


def test_ignores_the_training_range_of_a_field_of_another_version():
    ranges = {"girdle": (1.0, 2.0), "carat": (0.1, 0.2)}
    card = dataclasses.replace(CARD, training_range=ranges)
    follower = following(card, STONES)
    stone = Diamond(carat=1, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
    assert PriceDiamonds(follower).one(stone).outside == ["carat"]
    many = PriceDiamonds(follower).many(DiamondTable.from_diamonds([stone]))
    assert many.outside() == [["carat"]]


def test_prices_no_stones(follower):
    predictions = PriceDiamonds(follower).many(STONES[:0])
    assert len(predictions) == 0
    assert predictions.prices.tolist() == predictions.lows.tolist() == []
    assert predictions.assumed() == predictions.outside() == []


def test_finds_similar_stones_among_the_champions(follower):
    similar = STONES.diamond(0)
    found = FindSimilar(follower)(similar, 3)
    assert found.carat_differences[0] == 0.0
    assert found.available >= 1


def test_cannot_price_without_a_champion():
    follower = ChampionFollower(ModelHistory(InMemoryModelRepository(), load_formula))
    assert not follower.refresh()
    with pytest.raises(NoChampion):
        PriceDiamonds(follower).one(STONES.diamond(0))
    with pytest.raises(NoChampion):
        PriceDiamonds(follower).many(STONES)
    with pytest.raises(NoChampion):
        FindSimilar(follower)(STONES.diamond(0), 1)
