"""Drift of what a service recorded: the route, the metrics, the command, the pipeline."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from click.testing import CliRunner
from dependency_injector import providers
from falcon import testing
from wired import in_memory, with_champion

from diamond_adapters.in_memory import InMemoryStoneSource
from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core import Profile, TrainingConfig, Unavailable
from diamond_core.models.model_card import training_range
from diamond_core.stones.fields import FIELDS
from diamond_core.testing import some_stones

ADMIN = {"X-API-Key": "long-secret"}
TRAINING = some_stones(5_000)


@pytest.fixture
def container():
    return with_champion(
        in_memory(api_keys="admin:long-secret"),
        profile=Profile.of(TRAINING),
        training_range=training_range(TRAINING),
    )


@pytest.fixture
def client(container):
    return testing.TestClient(app_of(container), headers=ADMIN)


def ask(client, stones, factor=1.0):
    four_cs = [{name: getattr(each, name) for name in list(FIELDS)[:4]} for each in stones]
    body = [each | {"carat": round(each["carat"] * factor, 2)} for each in four_cs]
    answer = client.simulate_post("/v1/predictions/batch", json={"diamonds": body})
    assert answer.status_code == 200


def command(container, *arguments):
    done = CliRunner().invoke(cli, ["drift", *arguments], obj=container)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_is_quiet_about_what_the_model_was_trained_on(container, client):
    ask(client, some_stones(500, seed=1))
    container.watch_prices()()

    answer = client.simulate_get("/v1/drift", query_string="since=24h").json

    assert (answer["drifted"], answer["alarms"]) == (False, [])
    assert 450 < answer["requests"] <= 500
    assert [each["field"] for each in answer["fields"]] == [*FIELDS, "price"]
    assert answer["price_level"] == pytest.approx(1.0, abs=0.15)
    assert answer["days"][-1]["requests"] == 1
    metrics = client.simulate_get("/metrics").text
    assert 'diamond_drifted{field="carat"} 0.0' in metrics
    assert "diamond_monitoring_timestamp_seconds" in metrics


def test_is_loud_about_heavier_stones_everywhere(container, client):
    told = []
    container.notify.override(providers.Object(told.append))
    ask(client, some_stones(200, seed=1), factor=1.4)
    client.simulate_post("/v1/predictions", json={"carat": -1})

    pipeline = partial(container.run_pipeline(), [InMemoryStoneSource(TRAINING[:500])])
    first, second = pipeline(TrainingConfig()), pipeline(TrainingConfig())

    assert "carat" in first.drift
    assert first.drift.keys() == second.drift.keys()
    (event,) = (each for each in told if each["event"] == "drift")
    assert "carat has drifted" in event["text"]
    answer = client.simulate_get("/v1/drift").json
    assert answer["drifted"]
    assert answer["days"][-1]["client_errors"] == 1
    assert 'diamond_drifted{field="carat"} 1.0' in client.simulate_get("/metrics").text
    fresh = json.loads(command(container, "--json"))
    assert fresh["fields"] == answer["fields"]
    assert "carat has drifted" in command(container)


def test_counts_repeated_requests_once(container, client):
    for _ in range(5):
        ask(client, some_stones(60, seed=1))
    answer = json.loads(command(container, "--since", "1h", "--json"))
    assert answer["requests"] <= 60
    assert answer["requests"] + answer["repeated"] == 300


def test_old_requests_are_in_longer_windows_only(container, client):
    ask(client, some_stones(100, seed=1))
    now = container.clock()()
    container.clock.override(providers.Object(lambda: now + timedelta(days=3)))
    container.watch_prices()()
    counts = [
        client.simulate_get("/v1/drift", query_string=f"since={since}").json["requests"]
        for since in ("2d", "4d", "900d")
    ]
    assert counts[0] == 0
    assert counts[1] == counts[2] > 90


def test_says_that_nothing_is_computed_yet(container, client):
    answer = client.simulate_get("/v1/drift")
    assert (answer.status_code, answer.json["detail"][:23]) == (503, "nothing is computed yet")
    assert "diamond_drift_psi" not in client.simulate_get("/metrics").text
    container.monitoring_store().failure = Unavailable("the disk fails")
    assert client.simulate_get("/v1/drift").status_code == 503
    assert client.simulate_get("/metrics").status_code == 200


def test_refuses_a_wrong_time_and_strangers(container, client):
    container.watch_prices()()
    wrong = client.simulate_get("/v1/drift", query_string="since=yesterday")
    assert wrong.json["errors"][0]["pointer"] == "/since"
    assert client.simulate_get("/v1/drift", headers={"X-API-Key": "other"}).status_code == 401
    done = CliRunner().invoke(cli, ["drift", "--since", "yesterday"], obj=container)
    assert done.exit_code == 2


def test_needs_a_model_with_a_profile():
    container = with_champion(in_memory(), profile=None)
    with pytest.raises(Unavailable, match="train it again"):
        container.watch_prices()()


def test_a_failure_does_not_fail_the_pipeline(container):
    container.monitoring_store().failure = Unavailable("the disk fails")
    done = container.run_pipeline()([InMemoryStoneSource(TRAINING[:500])], TrainingConfig())
    assert (done.outcome, done.drift) == ("trained", {})
    assert replace(done, seconds={}).problems == ()
