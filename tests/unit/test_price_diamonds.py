import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    Champion,
    ChooseChampion,
    Clarity,
    Color,
    Cut,
    Diamond,
    DiamondTable,
    FindSimilar,
    NoChampion,
    PriceDiamonds,
    sorted_samples,
)
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(400)
CARD = a_card("formula-1")


@pytest.fixture(scope="module")
def champion():
    repository = InMemoryModelRepository()
    repository.publish(CARD, a_fitted_model(STONES), sorted_samples(STONES))
    ChooseChampion(repository, lambda: NOON).promote(CARD.id, reason="test", by="test")
    champion = Champion(repository)
    assert champion.refresh()
    return champion


diamonds = st.builds(
    Diamond,
    carat=st.floats(0.01, 100),
    cut=st.sampled_from(Cut),
    color=st.sampled_from(Color),
    clarity=st.sampled_from(Clarity),
    depth=st.none() | st.floats(40, 80),
    table=st.none() | st.floats(40, 95),
    x=st.none() | st.floats(1, 20),
    y=st.none() | st.floats(1, 20),
)


@given(st.lists(diamonds, min_size=1, max_size=5))
def test_prices_one_stone_as_it_prices_many(champion, stones):
    price_diamonds = PriceDiamonds(champion)
    together = list(price_diamonds.many(DiamondTable.from_diamonds(stones)))
    alone = [price_diamonds.one(stone) for stone in stones]
    for one, other in zip(alone, together, strict=True):
        assert one.assumed == other.assumed
        assert one.outside == other.outside
        assert (one.price, one.low, one.high) == pytest.approx(
            (other.price, other.low, other.high), abs=0.011
        )


def test_gives_a_price_inside_its_range(champion):
    valuations = PriceDiamonds(champion).many(STONES)
    assert (valuations.lows <= valuations.prices).all()
    assert (valuations.prices <= valuations.highs).all()
    np.testing.assert_array_equal(valuations.prices, np.round(valuations.prices, 2))


def test_names_what_was_assumed_and_what_is_outside(champion):
    stone = Diamond(carat=50, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF, table=90, x=6)
    valuation = PriceDiamonds(champion).one(stone)
    assert valuation.assumed == ["depth", "y", "z"]
    assert valuation.outside == ["carat", "table"]
    assert valuation.card.id == "formula-1"


def test_prices_no_stones(champion):
    assert list(PriceDiamonds(champion).many(STONES[:0])) == []


def test_finds_similar_stones_among_the_champions(champion):
    wanted = STONES.diamond(0)
    found = FindSimilar(champion)(wanted, 3)
    assert found.carat_differences[0] == 0.0
    assert found.available >= 1


def test_cannot_price_without_a_champion():
    champion = Champion(InMemoryModelRepository())
    assert not champion.refresh()
    with pytest.raises(NoChampion):
        PriceDiamonds(champion).one(STONES.diamond(0))
    with pytest.raises(NoChampion):
        FindSimilar(champion)(STONES.diamond(0), 1)
