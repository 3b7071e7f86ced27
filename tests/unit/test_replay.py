"""What a replay adds up is what a slow loop over the stones finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import DiamondTable, Predictions, PricedStones
from diamond_core.monitoring.replay import CARATS, ReplaySums
from diamond_core.stones.fields import GRADES
from diamond_core.testing import a_card, some_stones
from diamond_core.testing.samples import NOON

SINCE = NOON - timedelta(days=7)
STONES = some_stones(300)
CARD = a_card()


def stones_of(rows, prices, ids=None):
    """Return stones of *rows*, recorded at *prices* with ranges from 90 % to 110 %."""
    table = STONES[np.array(rows, dtype=np.intp)]
    count = len(rows)
    return PricedStones(
        table=table,
        ids=np.array(ids or [f"{number:032x}" for number in range(count)], dtype=object),
        times=np.full(count, NOON.replace(tzinfo=None), dtype="M8[us]"),
        models=np.full(count, "old", dtype=object),
        keys=np.full(count, "", dtype=object),
        prices=np.array(prices),
        lows=np.array(prices) * 0.9,
        highs=np.array(prices) * 1.1,
    )


def priced_at(stones, prices, width=0.1):
    prices = np.array(prices)
    low, high = prices * (1 - width), prices * (1 + width)
    return Predictions(stones.table, CARD, prices, low, high, prices < 0)


def replayed(parts, paid=()):
    """Add (stones, new answers) in *parts*, and return the replay."""
    sums = ReplaySums(dict(paid))
    for stones, new in parts:
        sums.add(stones, stones, new)
    return sums.result(model="new", against="", since=SINCE, until=None)


def in_parts(stones, prices, *cuts):
    """Return the parts of stones between *cuts*."""
    edges = [0, *sorted(cuts), len(stones)]
    found = []
    for low, high in pairwise(edges):
        if low < high:
            some = stones[low:high]
            found.append((some, priced_at(some, prices[low:high])))
    return found


cents = st.integers(100, 2_000_000).map(lambda cents: cents / 100)
pairs = st.lists(
    st.tuples(st.integers(0, len(STONES) - 1), cents, cents | st.just(0.0)), min_size=1, max_size=40
).map(lambda rows: [(row, old, new or old) for row, old, new in rows])


def band(carat):
    """Return the name of the weight band of a stone."""
    names = ["under 0.5", "0.5 to 1", "1 to 1.5", "1.5 to 2", "2 and more"]
    return names[sum(carat >= each for each in CARATS)]


@given(pairs, st.integers(0, 40))
def test_sums_are_those_of_a_loop(rows, cut):
    at, old, new = (list(column) for column in zip(*rows, strict=True))
    stones = stones_of(at, old)
    found = replayed(in_parts(stones, new, min(cut, len(rows))))

    changes = [b / a - 1 for a, b in zip(old, new, strict=True)]
    changed = [abs(b - a) >= 0.0099 for a, b in zip(old, new, strict=True)]
    assert (found.exchanges, found.stones) == (len(rows), len(rows))
    assert found.changed == sum(changed)
    assert found.large == sum(abs(change) > 0.05 for change in changes)
    assert found.mean_change == pytest.approx(fmean(changes), abs=1e-9)
    assert found.mean_absolute_change == pytest.approx(fmean(map(abs, changes)), abs=1e-9)
    groups = {}
    for stone, change, differs in zip(stones.table, changes, changed, strict=True):
        for by, name in [
            ("carat", band(stone.carat)),
            *((by, getattr(stone, by).value) for by in GRADES),
        ]:
            groups.setdefault((by, name), []).append((change, differs))
    assert {(each.by, each.name) for each in found.groups} == groups.keys()
    for each in found.groups:
        members = groups[each.by, each.name]
        sizes = [abs(change) for change, _ in members]
        assert each.stones == len(members)
        assert each.changed == sum(differs for _, differs in members)
        assert each.mean_change == pytest.approx(fmean(change for change, _ in members), abs=1e-9)
        assert each.mean_absolute_change == pytest.approx(fmean(sizes), abs=1e-9)
        assert each.large == sum(size > 0.05 for size in sizes)
    assert sum(count for *_, count in found.histogram) == len(rows)


@given(pairs, st.integers(0, 40))
def test_the_largest_changes_are_of_different_stones(rows, cut):
    at, old, new = (list(column) for column in zip(*rows, strict=True))
    stones = stones_of(at, old)
    found = replayed(in_parts(stones, new, min(cut, len(rows))))

    best = {}
    for stone, a, b in zip(stones.table, old, new, strict=True):
        if abs(b - a) >= 0.0099:
            key = (round(abs(b / a - 1), 3), abs(b - a))
            best[stone] = max(best.get(stone, (0.0, 0.0)), key)
    expected = sorted(best.values(), reverse=True)[:20]
    got = [(round(abs(each.change), 3), abs(each.new - each.old)) for each in found.largest]
    assert np.allclose(got, expected) if expected else not got
    assert len({each.diamond for each in found.largest}) == len(found.largest)


def test_the_stones_of_a_batch_are_one_exchange_also_across_parts():
    ids = ["a" * 32 + "-0", "a" * 32 + "-2", "a" * 32 + "-3", "b" * 32]
    stones = stones_of([0, 1, 2, 3], [100.0] * 4, ids)
    assert replayed(in_parts(stones, [100.0] * 4, 1)).exchanges == 2


def test_a_cent_is_a_change_and_less_is_none():
    stones = stones_of([0, 1, 2], [100.0, 5000.01, 17.0])
    found = replayed([(stones, priced_at(stones, [100.01, 5000.0, 17.0]))])
    assert (found.changed, found.large) == (2, 0)
    by_price = {each.new: each for each in found.largest}
    assert by_price.keys() == {100.01, 5000.0}
    assert by_price[100.01].diamond == STONES.diamond(0)
    assert by_price[100.01].priced_at == NOON


def test_changes_beyond_the_ends_are_in_the_outer_intervals():
    stones = stones_of([0, 1, 2, 3], [100.0] * 4)
    found = replayed([(stones, priced_at(stones, [95.0, 100.0, 0.01, 1e6]))])
    assert found.histogram == [
        (-1.0, -0.999, 1),
        (-0.05, -0.049, 1),
        (0.0, 0.001, 1),
        (2.0, 2.001, 1),
    ]


def test_range_widths_before_and_after():
    stones = stones_of([0, 1], [100.0, 200.0])
    narrow, wide = (
        priced_at(stones[at : at + 1], [100.0], width) for at, width in ((0, 0.05), (1, 0.2))
    )
    found = replayed([(stones[:1], narrow), (stones[1:], wide)]).ranges
    assert (found.old, found.new) == pytest.approx((0.2, 0.25))
    assert (found.narrower, found.wider) == (0.5, 0.5)


def test_errors_of_both_where_the_paid_price_is_known():
    random = np.random.default_rng(3)
    count = 60
    paid = random.uniform(1000, 9000, count)
    old, new = paid + random.normal(50, 300, count), paid + random.normal(0, 20, count)
    stones = stones_of(range(count), old)
    known = dict(zip(stones.ids[:50].tolist(), paid.tolist(), strict=False)) | {"other": 1.0}
    found = replayed(in_parts(stones, new, 7, 23), known).errors

    a, b = (np.abs(each - paid)[:50] for each in (old, new))
    assert found.outcomes == 50
    assert (found.old_mae, found.new_mae) == pytest.approx((a.mean(), b.mean()))
    assert (found.old_bias, found.new_bias) == pytest.approx(
        ((old - paid)[:50].mean(), (new - paid)[:50].mean())
    )
    half = 2.0096 * stdev((b - a).tolist()) / 50**0.5  # Student's t with 49 degrees of freedom
    assert (found.low, found.high) == pytest.approx(
        (found.difference - half, found.difference + half), rel=1e-4
    )
    assert found.difference == pytest.approx(b.mean() - a.mean())
    assert found.is_significant


@pytest.mark.parametrize("count", [1, 9])
def test_few_outcomes_show_nothing(count):
    stones = stones_of(range(count), [1000.0] * count)
    paid = dict.fromkeys(stones.ids.tolist(), 1100.0)
    found = replayed([(stones, priced_at(stones, [1100.0] * count))], paid).errors
    assert found.difference == pytest.approx(-100.0)
    assert not found.is_significant


def test_nothing_replayed():
    found = replayed([])
    assert (found.exchanges, found.stones, found.changed, found.mean_change) == (0, 0, 0, 0.0)
    assert (found.ranges, found.errors, found.groups, found.largest, found.histogram) == (
        *(None, None),
        *([], [], []),
    )


def test_an_unknown_grade_is_in_no_group():
    stones = stones_of([0], [100.0])
    rows = stones.table.rows_of_today()
    rows["cut"] = 255
    stones = replace(stones, table=DiamondTable(rows))
    sums = ReplaySums({})
    sums.add(stones, stones, stones)
    found = sums.result(model="new", against="", since=datetime.now(UTC), until=None)
    assert "cut" not in {each.by for each in found.groups}
    assert sum(each.stones for each in found.groups) == len(GRADES)
