"""Drift: quiet while nothing has changed, loud when something has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import CountedStones, DiamondTable, Drift, DriftLimits, PricedStones, Profile
from diamond_core.models.model_card import training_range
from diamond_core.monitoring.drift import is_significant, psi
from diamond_core.monitoring.hourly_counts import HourCounts, is_outside
from diamond_core.testing import FormulaModel, some_stones
from diamond_core.testing.samples import NOON

TRAINING = some_stones(20_000)
PROFILE = Profile.of(TRAINING)
RANGE = training_range(TRAINING)


def priced(table, times=None):
    texts = np.full(len(table), "", dtype=object)
    if times is None:
        times = np.full(len(table), NOON.replace(tzinfo=None), dtype="M8[us]")
    prices = FormulaModel().price(table)
    return PricedStones(table, texts, times, texts, texts, prices, prices, prices)


LIMITS = DriftLimits()


def drift_of(*parts, since=NOON, limits=LIMITS):
    counted = CountedStones()
    counted.read(NOON, 1, parts)
    hours = counted.hours(PROFILE, RANGE)
    return Drift.of(HourCounts.sum(hours, PROFILE, since), PROFILE, since, limits)


def heavier(table, factor=1.3):
    rows = table.rows.copy()
    rows["carat"] = np.round(rows["carat"] * factor, 2)
    for name in "xyz":
        rows[name] = np.round(rows[name] * factor ** (1 / 3), 2)
    return DiamondTable(rows)


@pytest.mark.parametrize("given", [lambda table: table, DiamondTable.four_cs])
def test_is_quiet_while_nothing_has_changed(given):
    alarms = [drift_of(priced(given(some_stones(500, seed=at)))).alarms() for at in range(1, 51)]
    assert not any(alarms)


@pytest.mark.parametrize("given", [lambda table: table, DiamondTable.four_cs])
def test_is_loud_within_200_stones_that_are_30_percent_heavier(given):
    """The synthetic weights are smooth; real ones, with many round numbers, show more."""
    drifts = [
        drift_of(priced(given(heavier(some_stones(200, seed=seed))))) for seed in range(1, 21)
    ]
    assert sum(bool(each.alarms().keys() & {"carat", "price"}) for each in drifts) >= 18
    assert all(each.price_level > 1.2 for each in drifts)


def test_ignores_a_trifle_in_a_million():
    shares = np.array(PROFILE.counts["color"]) / len(TRAINING)
    moved = shares * np.linspace(0.85, 1.15, len(shares))
    many = np.round(1e6 * moved / moved.sum())
    training = np.array(PROFILE.counts["color"])
    assert psi(training, many) < LIMITS.psi
    assert is_significant(training, many)


@pytest.mark.parametrize("bins", [2, 5, 10])
def test_noise_is_that_of_equal_distributions(bins):
    random = np.random.default_rng(bins)
    shares = random.dirichlet(np.full(bins, 5.0))
    training, some = (random.multinomial(size, shares, 4_000) for size in (5_000, 500))
    exceeded = [is_significant(*pair) for pair in zip(training, some, strict=True)]
    assert np.mean(exceeded) <= 0.002


def test_says_nothing_about_few_stones():
    assert not drift_of(priced(heavier(some_stones(49), 3.0))).drifted
    assert drift_of(priced(heavier(some_stones(60), 3.0))).drifted


def test_tells_how_many_are_outside_the_training_range():
    some = some_stones(300, seed=1)
    rows = some.rows.copy()
    rows["table"][:60] = 90.0
    drift = drift_of(priced(DiamondTable(rows)))
    assert drift.outside_training_range == pytest.approx(0.2, abs=0.02)
    assert "20.0% of the stones are outside" in drift.alarms()["outside_training_range"]
    assert not drift_of(priced(DiamondTable(rows)), limits=DriftLimits(psi=9, outside=0.3)).drifted
    assert is_outside(some.four_cs(), {"x": (4.0, 5.0)}).tolist() == [False] * 300


def test_unknown_measurements_are_told_and_are_no_drift():
    fields = {each.field: each for each in drift_of(priced(some_stones(300).four_cs())).fields}
    assert (fields["x"].unknown, fields["x"].unknown_in_training) == (1.0, 0.0)
    assert (fields["x"].psi, fields["x"].drifted) == (0.0, False)


def test_has_nothing_to_say_without_requests():
    drift = drift_of()
    assert (drift.requests, drift.price_level, drift.drifted) == (0, None, False)


def test_a_monitor_counts_once():
    monitor = some_stones(1, seed=9)[np.zeros(5000, dtype=int)]
    drift = drift_of(priced(DiamondTable.concatenate([some_stones(300, seed=1), monitor])))
    assert (drift.requests, drift.repeated, drift.drifted) == (301, 4999, False)


def test_requests_that_many_make_are_no_drift():
    """Without measurements, a common stone is asked for again and again, and counts once."""
    random = np.random.default_rng(1)
    rows = some_stones(20_000, seed=1).rows.copy()
    rows["carat"] = np.round(rows["carat"].clip(0.2, 2.0), 1)
    for name in ("depth", "x", "y", "z"):
        rows[name] = np.nan
    rows["cut"], rows["color"] = 4 - random.geometric(0.6, 20_000).clip(1, 5) % 5, 3
    table = DiamondTable(rows)
    profile = Profile.of(table)
    for size in (500, 5_000, 100_000):
        counted = CountedStones()
        counted.read(NOON, 1, [priced(table[random.integers(0, len(table), size)].four_cs())])
        counts = HourCounts.sum(counted.hours(profile, training_range(table)), profile, NOON)
        assert not Drift.of(counts, profile, NOON, LIMITS).drifted
    without = replace(profile, four_cs=())
    assert Drift.of(counts, without, NOON, LIMITS).drifted


STONES = some_stones(12)


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 50)), max_size=60),
    st.integers(0, 60),
    st.randoms(use_true_random=False),
    st.integers(-1, 52),
)
def test_counts_the_distinct_stones_of_each_window(requests, late, random, hours):
    """As a plain slow oracle does: in any order of the hours, and if some stones come late."""
    since = NOON + timedelta(hours=hours, minutes=59)
    inside = [stone for stone, hour in requests if hour >= hours]
    expected = STONES[np.array(sorted(set(inside)), dtype=int)]

    counted = CountedStones()
    for some in (requests[late:], requests):
        for hour in random.sample(range(51), 51):
            stones = np.array([stone for stone, at in some if at == hour], dtype=int)
            if len(stones) != counted.requests(NOON + timedelta(hours=hour)):
                at = NOON + timedelta(hours=hour)
                times = np.datetime64(at.replace(tzinfo=None), "us") + np.arange(len(stones))
                parts = [priced(STONES[stones], times)[start::2] for start in (0, 1)]
                counted.read(at, len(stones), parts)
        counted = CountedStones.from_bytes(counted.to_bytes())
    found = HourCounts.sum(counted.hours(PROFILE, RANGE), PROFILE, since)

    assert (found.stones, found.stones + found.repeated) == (len(expected), len(inside))
    assert found.outside == is_outside(expected, RANGE).sum()
    assert found.log_price == pytest.approx(np.log(FormulaModel().price(expected)).sum())
    for name, counts in found.bins.items():
        values = FormulaModel().price(expected) if name == "price" else expected.column(name)
        assert (
            counts.tolist()
            == np.bincount(PROFILE.bins(name, values), minlength=len(counts)).tolist()
        )


def test_forgets_old_hours():
    counted = CountedStones()
    noon = NOON.replace(microsecond=0)
    for hour in range(3):
        at = noon + timedelta(hours=hour)
        times = np.full(4, at.replace(tzinfo=None), dtype="M8[us]")
        counted.read(at, 9, [priced(STONES[4 * hour : 4 * hour + 4], times)])
    counted.forget(noon + timedelta(hours=1))
    assert [each.at for each in counted.hours(PROFILE, RANGE)] == [
        noon + timedelta(hours=hour) for hour in (1, 2)
    ]
    assert [counted.requests(noon + timedelta(hours=hour)) for hour in range(3)] == [0, 9, 9]


@pytest.mark.parametrize("data", [b"", b"PK", b"\x93NUMPY", b"a text"])
def test_other_bytes_are_no_counted_stones(data):
    with pytest.raises(ValueError, match="no counted stones"):
        CountedStones.from_bytes(data)


def test_a_profile_has_bins_of_about_equally_many_stones():
    for name in ("carat", "depth", "x", "price"):
        assert len(PROFILE.counts[name]) == 10
        assert sum(PROFILE.counts[name]) == len(TRAINING)
        assert min(PROFILE.counts[name]) / len(TRAINING) > 0.05
    assert PROFILE.counts["cut"] == tuple(np.bincount(TRAINING.column("cut")))


def test_a_profile_of_equal_or_unknown_values_has_one_bin():
    profile = Profile.of(some_stones(1)[np.zeros(50, dtype=int)].four_cs())
    assert (profile.edges["carat"], profile.counts["carat"]) == ((), (50,))
    assert (profile.counts["x"], profile.unknown["x"]) == ((0,), 1.0)
