"""The level of prices over time."""

from __future__ import annotations

import numpy as np
import pytest

from diamond_core.models.price_level import PriceLevels
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.testing import some_stones

WEEKS = 20
START = np.datetime64("2026-01-05")
WEEK = np.timedelta64(7, "D")


def at_levels(levels, *, each=200, seed=0):
    """Stones of some weeks, whose prices follow *levels*."""
    table = some_stones(each * len(levels), seed=seed)
    week = np.arange(len(table)) // each
    rows = table.rows.copy()
    rows["price"] *= np.asarray(levels)[week]
    return DiamondTable(rows), START + WEEK * week


def test_finds_a_rise():
    levels = 1.15 ** np.clip((np.arange(WEEKS) - 6) / 8, 0.0, 1.0)
    table, dates = at_levels(levels)
    found = PriceLevels.estimate(table, dates)
    weekly = found.at(START + WEEK * np.arange(WEEKS))
    np.testing.assert_allclose(weekly, levels / levels[-1], rtol=0.025)
    assert weekly[-1] == 1.0
    today = found.applied(table, dates)
    np.testing.assert_allclose(today.price, table.price / found.at(dates))
    np.testing.assert_array_equal(today.carat, table.carat)


def test_a_change_of_the_mix_is_no_change_of_the_level():
    table, dates = at_levels(np.ones(10))
    order = np.argsort(table.carat)  # small stones first, large ones in the end
    found = PriceLevels.estimate(table[order], dates)
    np.testing.assert_allclose(found.levels, 1.0, rtol=0.08)


def test_a_long_gap_is_a_large_step():
    table, dates = at_levels([1.0, 2.5])
    dates = np.where(dates == START, np.datetime64("2008-07-01"), dates)
    found = PriceLevels.estimate(table, dates)
    assert found.levels[0] == pytest.approx(0.4, rel=0.05)


def test_a_week_of_few_stones_joins_another():
    table, dates = at_levels(np.ones(3), each=60)
    few = np.arange(len(table)) >= 50  # ten are left of the first week
    found = PriceLevels.estimate(table[few], dates[few])
    assert len(found.since) == 2
    assert found.since[0] == START


def test_an_outlier_moves_nothing():
    table, dates = at_levels(np.ones(4), each=60)
    rows = table.rows.copy()
    rows["price"][-10:] *= 100.0
    found = PriceLevels.estimate(DiamondTable(rows), dates)
    np.testing.assert_allclose(found.levels, 1.0, rtol=0.06)


@pytest.mark.parametrize("dates", ["NaT", "2026-01-05"])
def test_one_period_has_no_levels(dates):
    table = some_stones(300)
    assert PriceLevels.estimate(table, np.full(300, dates, "M8[D]")) is None


def test_a_day_that_is_not_known_has_the_newest_level():
    table, dates = at_levels([1.0, 1.3])
    found = PriceLevels.estimate(table, dates)
    days = np.array(["NaT", "1990-01-01", "2030-01-01"], "M8[D]")
    np.testing.assert_array_equal(found.at(days), [1.0, found.levels[0], 1.0])


def test_gives_pairs_for_a_card():
    table, dates = at_levels([1.0, 1.3])
    found = PriceLevels.estimate(table, dates)
    assert found.as_pairs()[-1] == (str(START + WEEK), 1.0)
    assert [type(value) for pair in found.as_pairs() for value in pair] == [str, float] * 2


def test_says_since_when_the_level_is_near_the_newest():
    table, dates = at_levels([1.0, 1.3, 1.3, 1.3])
    found = PriceLevels.estimate(table, dates)
    assert [str(day) for day in found.stable_since()] == [str(START + WEEK), str(START)]
    steady, dates = at_levels(np.ones(4))
    found = PriceLevels.estimate(steady, dates)
    assert [str(day) for day in found.stable_since()] == [str(START)]
