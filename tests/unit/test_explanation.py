"""Why a price: exact Shapley values, in whole cents."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import some_measured

from diamond_core import Contribution, Explanation
from diamond_core.models.explanation import (
    PROPERTIES,
    coalitions,
    in_cents,
    shapley_values,
    typical_stone,
)
from diamond_core.stones.diamond_table import broken
from diamond_core.stones.fields import AGREEMENTS, FIELDS
from diamond_core.testing import a_card, some_stones

WORTHS = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.floats(1.0, 1e5), min_size=2**n, max_size=2**n).map(np.array)
)


@given(WORTHS)
def test_agrees_with_the_mean_over_all_orders(worths):
    players = len(worths).bit_length() - 1
    orders = list(permutations(range(players)))
    expected = np.zeros(players)
    for order in orders:
        coalition = 0
        for player in order:
            expected[player] += worths[coalition | 1 << player] - worths[coalition]
            coalition |= 1 << player
    found = shapley_values(worths)
    assert found == pytest.approx(expected / len(orders), abs=1e-6)
    assert found.sum() == pytest.approx(worths[-1] - worths[0], abs=1e-6)


@given(st.lists(st.floats(1.0, 1e4), min_size=8, max_size=8))
def test_equal_players_get_the_same_and_idle_ones_nothing(some):
    """Players 0 and 1 are alike; player 2 is idle."""
    worth = {0: some[0], 1: some[1], 2: some[2]}  # by the number of the players 0 and 1
    worths = np.array([worth[(number & 3).bit_count()] for number in range(8)])
    first, second, idle = shapley_values(worths)
    assert first == pytest.approx(second)
    assert idle == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.integers(-(10**7), 10**7), min_size=32, max_size=32))
def test_amounts_add_up_to_the_cent(cents):
    worths = np.array(cents) / 100.0
    total = worths[-1] - worths[0]
    exact = shapley_values(worths)
    amounts = in_cents(exact, total)
    assert round(sum(amounts) * 100) == round(total * 100)
    assert np.abs(np.array(amounts) - exact).max() <= 0.0101
    assert amounts == [round(each, 2) for each in amounts]


def test_amounts_of_another_total_are_refused():
    with pytest.raises(ValueError, match="do not add up"):
        in_cents(np.array([1.0, 2.0]), 4.0)


@given(some_measured, some_measured)
def test_a_coalition_has_the_properties_of_its_members(diamond, other):
    table = coalitions(diamond, other)
    columns = {name: table.values(name) for name in FIELDS}
    for number in range(32):
        row = {name: column[number] for name, column in columns.items()}
        for bit, name in enumerate(PROPERTIES[:-1]):
            assert row[name] == getattr((other, diamond)[number >> bit & 1], name)
        measured = (other, diamond)[number >> 4]
        assert (row["depth"], row["table"]) == (measured.depth, measured.table)
        for name in "xyz":
            length = getattr(measured, name)
            if length is not None:
                scaled = length * (row["carat"] / measured.carat) ** (1 / 3)
                assert row[name] == pytest.approx(scaled)
    assert table.diamond(31) == diamond
    assert table.diamond(0) == other


def test_no_coalition_is_an_impossible_stone():
    stones = list(some_stones(200))
    for diamond, other in zip(stones[:100], stones[100:], strict=True):
        rows = coalitions(diamond, other).rows
        assert not any(broken(each, rows).any() for each in AGREEMENTS)


def test_the_typical_stone_is_of_the_data():
    stones = some_stones(501)
    typical = typical_stone(stones)
    assert typical.carat == np.median(stones.carat)
    assert typical.x is None
    cuts = [each.cut for each in stones]
    assert cuts.count(typical.cut) == max(map(cuts.count, cuts))


def test_one_sentence_for_people():
    amounts = dict(zip(PROPERTIES, (2800.4, 210.2, -640.0, 0.3, -12.0), strict=True))
    given = Explanation(
        compared_with=a_card().typical,
        is_typical=True,
        base=2400.0,
        contributions=tuple(Contribution(*each) for each in amounts.items()),
    )
    assert given.sentence() == (
        "The typical stone costs $2,400; this weight adds $2,800, its color takes $640 off,"
        " its cut adds $210, its measurements take $12 off."
    )
