import json
from datetime import UTC, datetime

import pytest

from diamond_core import Comparison, InvalidModelId, ModelCard, ModelId, Promotion
from diamond_core.testing import a_card

COMPARISON = Comparison(
    champion="linear-1", champion_mae=300.0, difference=-5.0, low=-8.0, high=-2.0
)


@pytest.mark.parametrize(
    "changes", [{}, {"comparison": COMPARISON, "trials": 5, "files": {"a": "b"}}]
)
def test_comes_back_from_json_unchanged(changes):
    card = a_card(**changes)
    assert ModelCard.from_json(json.loads(json.dumps(card.to_json()))) == card


def test_has_what_scripts_rely_on():
    values = a_card().to_json()
    assert {"id", "family", "created_at", "seed", "seconds", "metrics", "coverage", "data"} <= set(
        values
    )
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


def test_brings_a_promotion_back_from_json_unchanged():
    promotion = Promotion(
        model_id=ModelId("b"), at=datetime.now(UTC), by="me", reason="new", previous=ModelId("a")
    )
    assert Promotion.from_json(json.loads(json.dumps(promotion.to_json()))) == promotion
