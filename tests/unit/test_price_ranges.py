import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import some_measured

from diamond_core import Clarity, Color, Cut, Diamond, DiamondTable, Evaluation, PriceRanges
from diamond_core.codec import decode, encode
from diamond_core.models import error_scale
from diamond_core.models.support import Support
from diamond_core.stones.fields import FIELDS, REQUIRED
from diamond_core.testing import FormulaModel, some_stones

TRAINING = some_stones(4000, noise=0.1)
PRICES = FormulaModel().price(TRAINING)
ROUGH = PRICES * np.exp(np.random.default_rng(1).normal(0, 0.2, len(TRAINING)))
FEATURES = tuple(FIELDS)
RANGES = PriceRanges.calibrate(TRAINING, PRICES, ROUGH, FEATURES)

# With z, depth and table known as well.
measured = st.sampled_from([TRAINING.diamond(at) for at in range(50)])


def width(diamond, price=5000.0):
    low, high = RANGES.of(diamond, price)
    return high / low


@given(
    st.lists(
        st.tuples(some_measured | measured, st.floats(0.01, 1e9), st.floats(0.0, 5.0)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([FEATURES, REQUIRED, (*REQUIRED, "depth"), (*REQUIRED, "x", "table")]),
)
def test_gives_one_stone_the_range_it_has_in_a_table(stones, features):
    ranges = dataclasses.replace(
        RANGES, measurements=tuple(name for name in features if name not in REQUIRED)
    )
    diamonds, *others = zip(*stones, strict=True)
    lows, highs = ranges.of_table(DiamondTable.from_diamonds(diamonds), *map(np.array, others))
    alone = np.array([ranges.of(*each) for each in stones])
    np.testing.assert_allclose(alone, np.stack([lows, highs], axis=1), rtol=1e-9)


@given(some_measured, st.floats(0.01, 1e9))
def test_covers_the_price_itself(diamond, price):
    low, high = RANGES.of(diamond, price)
    assert 0 < low < price < high < np.inf


def test_comes_back_from_json_unchanged():
    assert decode(PriceRanges, encode(RANGES)) == RANGES


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.99])
def test_covers_the_stated_share_of_prices_it_has_not_seen(coverage):
    ranges = PriceRanges.calibrate(TRAINING, PRICES, ROUGH, FEATURES, coverage=coverage)
    unseen = some_stones(20_000, seed=5, noise=0.1)
    gaps = Support(TRAINING, ranges.effects).gaps(unseen)
    covered = Evaluation.of(unseen, FormulaModel().price(unseen), ranges, gaps).covered
    assert covered.mean() == pytest.approx(coverage, abs=0.015)


def test_covers_the_stated_share_with_the_few_folds_of_many_stones(monkeypatch):
    monkeypatch.setattr(error_scale, "MANY_STONES", len(TRAINING))
    ranges = PriceRanges.calibrate(TRAINING, PRICES, ROUGH, FEATURES)
    unseen = some_stones(20_000, seed=5, noise=0.1)
    gaps = Support(TRAINING, ranges.effects).gaps(unseen)
    covered = Evaluation.of(unseen, FormulaModel().price(unseen), ranges, gaps).covered
    assert covered.mean() == pytest.approx(0.9, abs=0.015)


def test_is_wider_where_measurements_are_assumed():
    measured = TRAINING.diamond(0)
    assumed = Diamond(**{name: getattr(measured, name) for name in REQUIRED})
    assert width(assumed) > 1.2 * width(measured)


def test_asks_only_for_measurements_that_the_model_takes():
    ranges = PriceRanges.calibrate(TRAINING, PRICES, ROUGH, (*REQUIRED, "depth"))
    four_cs = {name: getattr(TRAINING.diamond(0), name) for name in REQUIRED}
    low, high = ranges.of(Diamond(**four_cs, depth=61.0), 5000.0)
    assert (low, high) == RANGES.of(TRAINING.diamond(0), 5000.0)
    low, high = ranges.of(Diamond(**four_cs, table=57.0), 5000.0)
    assert high / low == pytest.approx(width(Diamond(**four_cs)))


def test_is_wider_where_the_errors_were_larger():
    exact = some_stones(4000, noise=0.0)
    noise = np.where(exact.carat > 1.5, 0.3, 0.05) * np.where(
        exact.column("clarity") == 0, 2.0, 1.0
    )
    predicted = exact.price * np.exp(np.random.default_rng(2).normal(0, 1, 4000) * noise)
    ranges = PriceRanges.calibrate(exact, predicted, predicted, FEATURES)

    def wide(carat, clarity):
        stone = Diamond(carat=carat, cut=Cut.IDEAL, color=Color.G, clarity=clarity)
        price = float(FormulaModel().price(DiamondTable.from_diamonds([stone]))[0])
        low, high = ranges.of(stone, price)
        return np.log(high / low)

    assert wide(3.0, Clarity.VS1) > 2 * wide(0.4, Clarity.VS1)
    assert wide(0.4, Clarity.I1) > 1.5 * wide(0.4, Clarity.VS1)


def test_grows_with_the_square_root_of_what_a_gap_is_wider_than_the_usual_one():
    usual = RANGES.usual_gap
    low, high = RANGES.of(TRAINING.diamond(0), 5000.0)
    for gap, factor in ((0.0, 1.0), (usual, 1.0), (usual + (np.log(3.0) / 0.35) ** 2, 3.0)):
        assert RANGES.of(TRAINING.diamond(0), 5000.0, gap) == pytest.approx(
            (low / factor, high * factor)
        )


@pytest.mark.parametrize("count", [1, 2, 5, 17])
def test_is_made_from_however_few_stones(count):
    few = some_stones(count)
    ranges = PriceRanges.calibrate(few, few.price * 1.1, few.price * 1.2, FEATURES)
    gaps = Support(few, ranges.effects).gaps(few)
    low, high = ranges.of_table(few, few.price * 1.09, gaps)
    assert (low <= few.price).all()
    assert np.isfinite(high).all()


def test_few_stones_do_not_make_the_range_too_narrow():
    """As in ``benchmarks/price_ranges.py``: 80 stones, many times, noise that grows with price."""
    random = np.random.default_rng(0)
    unseen = some_stones(2000, seed=99)
    inside = []
    for seed in range(30):
        table = some_stones(80, seed=seed)
        noisy = table.price * np.exp(random.normal(0, 0.1, len(table)))
        ranges = PriceRanges.calibrate(table, noisy, noisy, tuple(FIELDS))
        predicted = unseen.price * np.exp(random.normal(0, 0.1, len(unseen)))
        gaps = Support(table, ranges.effects).gaps(unseen)
        low, high = ranges.of_table(unseen, predicted, gaps)
        inside.append(float(((low <= unseen.price) & (unseen.price <= high)).mean()))
    assert 0.89 <= np.mean(inside) <= 0.97


def test_is_made_for_a_model_without_error():
    ranges = PriceRanges.calibrate(TRAINING, TRAINING.price, TRAINING.price, FEATURES)
    low, high = ranges.of(TRAINING.diamond(0), 1000.0)
    assert 0 < low < 1000.0 < high
