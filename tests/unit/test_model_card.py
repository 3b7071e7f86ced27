from datetime import UTC, datetime

import numpy as np
import pytest

from diamond_core import DiamondTable, InvalidModelId, ModelId
from diamond_core.codec import to_plain
from diamond_core.models.model_card import training_range
from diamond_core.testing import a_card, some_stones


def test_has_what_scripts_rely_on():
    values = to_plain(a_card())
    assert {
        *("id", "family", "created_at", "seed", "seconds", "metrics", "coverage", "data"),
        *("schema", "features"),
    } <= set(values)
    assert {"mae", "rmse", "mape", "r2"} <= set(values["metrics"])
    assert set(values["data"]) >= {
        *("source", "digest", "rows", "rejected", "training_rows", "holdout_rows")
    }


@pytest.mark.parametrize(
    "text", ["", "..", "a/b", "../../etc", "A", "a--b", "-a", "a-", "a b", "a\n", "ä", "a" * 81]
)
def test_refuses_a_text_that_is_no_model_id(text):
    with pytest.raises(InvalidModelId):
        ModelId(text)


def test_makes_ids_of_family_and_time_that_differ():
    at = datetime(2026, 11, 23, 14, 22, 33, tzinfo=UTC)
    first, second = ModelId.new("linear", at), ModelId.new("linear", at)
    assert first.startswith("linear-20261123-142233-")
    assert first != second


def test_knows_the_range_of_each_number_that_any_stone_has():
    stones = some_stones(50)
    rows = stones.rows_of_today()
    rows["depth"][10:] = np.nan
    rows["table"] = np.nan
    ranges = training_range(DiamondTable(rows))
    assert list(ranges) == ["carat", "depth", "x", "y", "z"]
    assert ranges["carat"] == (stones.carat.min(), stones.carat.max())
    known = stones.column("depth")[:10]
    assert ranges["depth"] == (known.min(), known.max())
