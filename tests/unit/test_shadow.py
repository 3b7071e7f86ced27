"""The comparison of a shadow with the model whose prices were answered."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import ShadowComparison
from diamond_core.testing import a_shadow_price
from diamond_core.testing.samples import NOON

PRICES = st.floats(100.0, 20_000.0)


@given(
    st.lists(st.tuples(PRICES, PRICES, st.sampled_from("ab"), st.one_of(st.none(), PRICES))),
)
def test_agrees_with_a_plain_computation(rows):
    prices = [
        a_shadow_price(hours, price=old, shadow_price=new, shadow_model_id=shadow)
        for hours, (old, new, shadow, _) in enumerate(rows)
    ]
    paid = {each.id: row[3] for each, row in zip(prices, rows, strict=True) if row[3]}
    found = {each.shadow_model_id: each for each in ShadowComparison.of(prices, paid)}
    assert set(found) == {row[2] for row in rows}
    for shadow, each in found.items():
        some = [(hours, *row) for hours, row in enumerate(rows) if row[2] == shadow]
        old, new = np.array([row[1:3] for row in some]).T
        assert (each.stones, each.model_id) == (len(some), prices[0].model_id)
        assert each.since == NOON + timedelta(hours=some[0][0])
        assert each.until == NOON + timedelta(hours=some[-1][0])
        assert each.changed == (np.abs(new - old) > 0.005).sum()
        assert each.large == (np.abs(new / old - 1) > 0.05).sum()
        assert each.mean_change == pytest.approx((new / old - 1).mean())
        outcomes = [row for row in some if row[4]]
        assert (each.errors is None) == (not outcomes)
        if outcomes:
            errors = np.abs(np.array([[row[1] - row[4], row[2] - row[4]] for row in outcomes]))
            assert each.errors.outcomes == len(outcomes)
            assert each.errors.old_mae == pytest.approx(errors[:, 0].mean())
            assert each.errors.new_mae == pytest.approx(errors[:, 1].mean())


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1.0, "the error of xgboost-20261123-142233-0a1b2c is $"),
        (1.2, "the error of linear-20261123-142233-9f3a1c is $"),
        (1.1, "no difference of the errors is more than noise"),
    ],
)
def test_says_whose_error_is_less(factor, verdict):
    """The answers are 10 % too high; the shadow's are *factor* times what is paid."""
    random = np.random.default_rng(1)
    prices, paid = [], {}
    for hours in range(100):
        price = 1000.0 + 10.0 * hours
        shadow = price * factor * random.normal(1.0, 0.01)
        prices.append(a_shadow_price(hours, price=1.1 * price, shadow_price=shadow))
        paid[prices[-1].id] = price
    (found,) = ShadowComparison.of(prices, paid)
    assert verdict in found.verdict()
    (few,) = ShadowComparison.of(prices[:9], paid)
    assert "more than noise" in few.verdict()
    (none,) = ShadowComparison.of(prices, {})
    assert none.verdict() == "no price is known that was paid"
