"""A batch answers for each stone what the route for one stone answers, prices and errors alike."""

from __future__ import annotations

import json

import pytest
from falcon import testing
from hypothesis import event, example, given
from hypothesis import strategies as st
from strategies import json_stones
from support import STONE
from wired import in_memory, with_champion

from diamond_adapters.sources.bundled import bundled_source
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core import FIELDS, PriceRanges, clean
from diamond_core.stones.fields import OPTIONAL
from diamond_core.testing import some_stones

STONES = some_stones(400)
FEATURES = tuple(name for name in FIELDS if name != "table")
RANGES = PriceRanges.calibrate(STONES, STONES.price * 1.1, STONES.price * 1.2, FEATURES)
MEASURED = STONE | {"depth": 61.5, "table": 57, "x": 6.6, "y": 6.6, "z": 4.06}


@pytest.fixture(scope="module")
def client():
    """An application whose champion takes every field but the table."""
    wired = with_champion(in_memory(), features=FEATURES, price_ranges=RANGES)
    return testing.TestClient(app_of(wired))


def alone_and_together(client, stones):
    """Return the answers to each of the stones alone, and that to all of them at once."""
    alone = [client.simulate_post("/v1/predictions", json=stone) for stone in stones]
    return alone, client.simulate_post("/v1/predictions/batch", json={"diamonds": stones})


def without_id(prediction):
    return {name: value for name, value in prediction.items() if name != "id"}


@given(st.lists(json_stones, min_size=1, max_size=4))
@example([MEASURED, STONE])
@example([MEASURED | {"carat": 50, "table": 99}, STONE | {"cut": "very good", "x": None}])
@example([MEASURED | {"z": 2, "weight": 1}, {}, STONE])
@example([STONE | {"carat": 0.001}, STONE | {"carat": 1000}])
def test_a_batch_is_answered_as_each_of_its_stones(client, stones):
    alone, together = alone_and_together(client, stones)
    errors = [
        {"pointer": f"/diamonds/{at}{each['pointer']}", "detail": each["detail"]}
        for at, answer in enumerate(alone)
        for each in answer.json.get("errors", [])
    ]
    if errors:
        event("refused")
        assert {answer.status_code for answer in alone} <= {200, 422}
        assert (together.status_code, together.json["errors"]) == (422, errors)
        return
    event("priced")
    assert together.status_code == 200
    for one, answer in zip(together.json["predictions"], alone, strict=True):
        assert answer.status_code == 200
        assert without_id(one) == without_id(answer.json)


def sums_of(prediction):
    return [prediction["price"], *prediction["price_range"].values()]


def test_a_trained_model_prices_a_batch_as_each_of_its_stones(trained_home):
    settings = Settings.load({"DIAMOND_HOME": str(trained_home)}, trained_home / "none")
    container = build_container(settings)
    container.champion_follower().refresh()
    container.request_log.override(in_memory().request_log)
    client = testing.TestClient(app_of(container))
    table = clean(next(bundled_source().read())).table
    stones = []
    for number, stone in enumerate(table[::400]):
        unknown = [name for name in OPTIONAL if number % len(name) % 3 == 1]
        stones.append({name: getattr(stone, name) for name in FIELDS if name not in unknown})
    alone, together = alone_and_together(client, stones)
    assert [answer.status_code for answer in alone] == [200] * len(stones)
    for one, answer in zip(together.json["predictions"], alone, strict=True):
        # a runtime may add up a batch in another order, in 32 bits
        assert sums_of(one) == pytest.approx(sums_of(answer.json), abs=0.011)
        for name in ("assumed", "outside_training_range", "model"):
            assert one[name] == answer.json[name]
    assert len(stones) > 100
    assert len({json.dumps(answer.json["assumed"]) for answer in alone}) > 1
