"""Which stones train, with which weights, and which ones judge."""

from __future__ import annotations

import numpy as np
import pytest

from diamond_core import TrainingStones, in_holdout
from diamond_core.testing import some_stones
from diamond_core.use_cases.training_split import (
    MINIMUM_RECENT,
    MINIMUM_SCORED,
    TrainingSplit,
    weights_by_age,
)

TABLE = some_stones(20_000)
DAYS = np.datetime64("2026-11-30") - np.arange(len(TABLE)) // 100  # 100 stones a day


def stones(table=TABLE, dates=DAYS):
    return TrainingStones(table=table, dates=dates[: len(table)], source="test")


def test_a_weight_halves_with_each_half_life():
    dates = np.array(["2026-11-30", "2026-11-20", "2026-11-10", "NaT"], "M8[D]")
    assert weights_by_age(dates, 10.0).tolist() == [1.0, 0.5, 0.25, 0.25]
    assert weights_by_age(np.array(["1900-01-01", "2026-11-10"], "M8[D]"), 10.0).min() > 0.0


def test_without_settings_all_stones_count_alike():
    split = TrainingSplit.of(stones())
    assert split.weights is None
    assert split.recent.all()
    assert len(split.holdout) == in_holdout(TABLE).sum()
    assert split.summary.scored_since == str(DAYS.min())


def test_weights_belong_to_the_training_stones():
    split = TrainingSplit.of(stones(), half_life=20.0)
    expected = weights_by_age(DAYS, 20.0)[~in_holdout(TABLE)]
    np.testing.assert_array_equal(split.weights, expected)


def test_only_the_window_judges():
    split = TrainingSplit.of(stones(), window=20.0)
    inside = DAYS.max() - np.timedelta64(20, "D") < DAYS
    expected = TABLE[in_holdout(TABLE) & inside]
    np.testing.assert_array_equal(split.holdout.rows, expected.rows)
    assert len(split.training) == (~in_holdout(TABLE)).sum()
    assert split.summary.holdout_rows == len(expected)
    assert split.summary.scored_since == "2026-11-11"
    assert split.summary.scored_until == "2026-11-30"


def test_a_window_with_few_stones_is_made_longer():
    split = TrainingSplit.of(stones(), window=1.0)
    assert MINIMUM_SCORED <= len(split.holdout) < MINIMUM_SCORED + 60
    assert MINIMUM_RECENT <= split.recent.sum() < MINIMUM_RECENT + 120


def test_a_store_with_few_stones_is_judged_as_a_whole():
    few = TABLE[:600]
    split = TrainingSplit.of(stones(few), window=1.0)
    assert len(split.holdout) == in_holdout(few).sum() < MINIMUM_SCORED


@pytest.mark.parametrize("settings", [{"half_life": 10.0}, {"window": 10.0}], ids=str)
def test_without_dates_age_is_ignored(settings):
    unknown = np.full(len(TABLE), "NaT", "M8[D]")
    split = TrainingSplit.of(stones(dates=unknown), **settings)
    assert split.weights is None
    assert (split.summary.half_life, split.summary.window) == (None, None)
    assert split.summary.scored_since == ""
