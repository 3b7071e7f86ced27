import numpy as np

from diamond_core import DiamondTable, folds, in_holdout
from diamond_core.testing import some_stones

TABLE = some_stones(5000)


def test_holds_out_about_a_fifth():
    assert 0.18 < in_holdout(TABLE).mean() < 0.22


def test_keeps_a_stone_on_its_side_whatever_is_around_it():
    sides = in_holdout(TABLE)
    order = np.random.default_rng(0).permutation(len(TABLE))
    np.testing.assert_array_equal(in_holdout(TABLE[order]), sides[order])
    np.testing.assert_array_equal(in_holdout(TABLE[:100]), sides[:100])


def test_keeps_a_stone_on_its_side_when_its_price_changes():
    rows = TABLE.rows_of_today()
    rows["price"] *= 2
    np.testing.assert_array_equal(in_holdout(DiamondTable(rows)), in_holdout(TABLE))


def test_assigns_folds_of_equal_size_and_keeps_equal_stones_together():
    twice = DiamondTable.concatenate([TABLE, TABLE])
    assigned = folds(twice, 5, seed=1)
    np.testing.assert_array_equal(assigned[:5000], assigned[5000:])
    assert np.bincount(assigned).min() > 1900
    assert (folds(twice, 5, seed=2) != assigned).any()
    np.testing.assert_array_equal(folds(twice, 5, seed=1), assigned)
