"""A better stone is never cheaper: random chains of better stones, priced as the service does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diamond_adapters.families.features import FEATURES, FOUR_CS
from diamond_adapters.families.linear.candidates import DEFAULT, Candidate
from diamond_adapters.families.linear.family import fit_candidate
from diamond_adapters.families.price_table import (
    CARATS,
    SHAPE,
    PriceTables,
    axis_weights,
    grid,
    ordered,
)
from diamond_adapters.families.xgboost.regressor import BoostedPriceRegressor
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_core import DiamondTable, no_progress
from diamond_core.testing import some_stones

BEST = {"cut": 4, "color": 6, "clarity": 7}


def linear(table, log_price):
    candidate = Candidate(log_price, DEFAULT.weight, True, DEFAULT.solver, DEFAULT.penalty)
    return fit_candidate(candidate, table)


def boosted(table, order_cut=False):
    regressor = BoostedPriceRegressor(rounds=60, order_cut=order_cut)
    return regressor.fit(table.features(FEATURES), table.price)


@pytest.fixture(scope="module")
def models():
    """Models of few and noisy stones, which are far from any order before it is made."""
    table = some_stones(300, noise=0.5)
    regressors = {
        "linear": linear(table, log_price=True),
        "linear, plain price": linear(table, log_price=False),
        "xgboost": boosted(table),
        "xgboost, cut": boosted(table, order_cut=True),
    }
    return {name: OnnxModel(each.to_onnx(), FEATURES) for name, each in regressors.items()}


NAMES = ["linear", "linear, plain price", "xgboost", "xgboost, cut"]
grades = {name: st.integers(0, best) for name, best in BEST.items()}
weights = st.one_of(
    st.integers(1, 1100).map(lambda hundredths: hundredths / 100),
    st.floats(0.001, 1000.0),
    st.floats(0.15, 5.5),
)
stones = st.fixed_dictionaries({"carat": weights, **grades})


def chain(first, steps, *, heavier):
    """Return a table of stones, each better or heavier than the one before or equal to it."""
    rows = some_stones(1).four_cs().rows_of_today()
    for name, value in first.items():
        rows[name] = value
    found = [rows]
    for name, size in steps:
        rows = rows.copy()
        if name != "carat":
            rows[name] = min(int(rows[name][0]) + 1, BEST[name])
        elif heavier:
            rows[name] = min(rows[name][0] * (1.0 + size), 1000.0)
        found.append(rows)
    return np.concatenate(found)


def cents(model, rows):
    """Return the prices as they are served, all at once and one by one."""
    table = DiamondTable(rows)
    together = np.round(model.price(table), 2)
    alone = [round(float(model.price(stone)[0]), 2) for stone in table]
    return [together, np.array(alone)]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(
    first=stones,
    steps=st.lists(st.tuples(st.sampled_from(FOUR_CS), st.floats(1e-7, 2.0)), max_size=25),
)
def test_is_never_cheaper_for_a_better_or_heavier_stone(models, name, first, steps):
    for prices in cents(models[name], chain(first, steps, heavier=True)):
        assert (np.diff(prices) >= 0.0).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    unknown=st.sets(st.sampled_from(FEATURES[4:]), max_size=4),
    steps=st.lists(st.sampled_from(["cut", "color", "clarity"]), max_size=16),
)
def test_is_never_cheaper_for_better_grades_of_a_measured_stone(models, name, seed, unknown, steps):
    if name != "xgboost, cut":
        steps = [step for step in steps if step != "cut"]
    rows = some_stones(1, seed=seed).rows_of_today()
    for field in unknown:
        rows[field] = np.nan
    first = {field: int(rows[field][0]) for field in BEST}
    better = chain(first, [(step, 0.0) for step in steps], heavier=False)
    for field in ("carat", *FEATURES[4:]):
        better[field] = rows[field]
    for prices in cents(models[name], better):
        assert (np.diff(prices) >= 0.0).all()


def test_orders_cut_by_the_setting(tmp_path):
    for setting, promised in (("", ("color", "clarity")), ("1", ("cut", "color", "clarity"))):
        environ = {"DIAMOND_HOME": str(tmp_path), "DIAMOND_ORDER_CUT": setting}
        container = build_container(Settings.load(environ, tmp_path / "none"))
        family = container.families()["xgboost"]
        fitted = family.fit(
            some_stones(200), seed=0, trials=0, weights=None, study=None, progress=no_progress
        )
        assert fitted.ordered == FOUR_CS
        assert fitted.ordered_measured == promised


def test_puts_any_table_in_order_and_keeps_one_that_is():
    random = np.random.default_rng(0)
    table = some_stones(200)
    weights = axis_weights(table.features(FEATURES), None)
    values = ordered(random.normal(8.0, 1.0, SHAPE), weights)
    for axis in range(4):
        assert (np.diff(values, axis=axis) >= 0.0).all()
    np.testing.assert_array_equal(ordered(values, weights), values)
    only_color = ordered(random.normal(8.0, 1.0, SHAPE), weights, ["color"])
    assert (np.diff(only_color, axis=2) >= 0.0).all()
    assert (np.diff(only_color, axis=1) < 0.0).any()


def test_interpolates_between_weights_and_goes_on_beyond_them():
    exponent = 1.7 * np.log(grid()[:, 0].astype(float))
    logs = (7.0 + exponent).reshape(SHAPE)
    tables = PriceTables.of(logs.astype(np.float32))
    carats = np.array([0.01, 0.1, 0.2, 0.205, 1.004, 4.99, 5.0, 5.01, 10.0, 900.0])
    features = np.full((len(carats), 9), np.nan, dtype=np.float32)
    features[:, 0], features[:, 1:4] = carats, 3
    np.testing.assert_allclose(tables.at(features), 7.0 + 1.7 * np.log(carats), atol=2e-3)
    assert CARATS[0] == 0.2
    assert CARATS[-1] == 5.0
