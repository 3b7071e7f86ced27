"""The whole application, pages and command line included, on in-memory adapters for every port."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from falcon import testing
from support import STONE
from wired import in_memory

from diamond_adapters.in_memory import InMemoryStoneSource
from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of, run_in_background
from diamond_core import DiamondTable, TrainingConfig, Unavailable, to_plain
from diamond_core.stones.gate import EDGES
from diamond_core.testing import some_stones

ADMIN = {"X-API-Key": "admin-secret"}
HTML = {"Accept": "text/html"}
OPTIONS = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]


@pytest.fixture
def container(tmp_path):
    home = tmp_path / "home"
    yield in_memory(home, "admin:admin-secret")
    assert not home.exists() or not any(home.iterdir())


@pytest.fixture
def two_models(container):
    """Train a poor champion and a better challenger; return their ids, the champion first."""
    source, family = InMemoryStoneSource(some_stones(800)), container.families()["formula"]
    train = container.train_models()
    family.factor = 1.5
    poor = train([source], TrainingConfig()).champion
    family.factor = 1.0
    good = train([source], TrainingConfig(force=True)).champion
    container.champion_follower().refresh()
    return good, poor


@pytest.fixture
def run(container):
    def run(*arguments, code=0):
        done = CliRunner().invoke(cli, arguments, obj=container)
        assert done.exit_code == code, (done.output, done.exception)
        return done.stdout

    return run


@pytest.fixture
def client(container):
    log = container.request_log()
    run_in_background(log)
    return testing.TestClient(app_of(container))


def test_serves_every_route(client, container, two_models):
    good, poor = two_models
    price = client.simulate_post("/v1/predictions", json=STONE, headers=ADMIN)
    assert price.json["model"]["id"] == good
    batch = client.simulate_post(
        "/v1/predictions/batch", json={"diamonds": [STONE] * 2}, headers=ADMIN
    )
    assert [each["price"] for each in batch.json["predictions"]] == [price.json["price"]] * 2
    similar = client.simulate_get("/v1/similar", params=STONE | {"n": 3}, headers=ADMIN)
    assert similar.json["available"] >= similar.json["count"] >= 1
    models = client.simulate_get("/v1/models", headers=ADMIN).json
    assert ([card["id"] for card in models["models"]], models["champion"]) == ([good, poor], good)
    assert models["damaged"] == []
    assert client.simulate_get(f"/v1/models/{poor}", headers=ADMIN).json["id"] == poor
    assert client.simulate_get("/v1/models/champion", headers=ADMIN).json["id"] == good
    promoted = client.simulate_post(
        f"/v1/models/{poor}/promote", json={"reason": "a test"}, headers=ADMIN
    )
    assert promoted.json["champion"]["id"] == poor
    assert container.champion_follower().refresh()
    ids = (price.json["id"], f"{price.json['id']}-0", batch.json["predictions"][1]["id"])
    paths = ("/v1/predictions", "/v1/predictions", "/v1/predictions/batch")
    for id, path in zip(ids, paths, strict=True):
        found = client.simulate_get(f"/v1/requests/{id}", headers=ADMIN).json
        assert (found["path"], found["id"]) == (path, id.partition("-")[0])
    listed = client.simulate_get("/v1/requests?limit=100", headers=ADMIN).json["requests"]
    assert len(listed) == 10
    assert client.simulate_get("/v1/pipeline", headers=ADMIN).json["runs"] == []
    assert client.simulate_get("/readyz").json["status"] == "ok"
    assert "diamond_spool_entries 0.0" in client.simulate_get("/metrics").text
    for path in ("/livez", "/openapi.json", "/docs", f"/models/{good}/report"):
        assert client.simulate_get(path, headers=ADMIN).status_code == 200


def test_serves_every_page(client, two_models):
    pages = ("/", "/stones", "/models", "/pipeline", "/monitoring", "/requests")
    for path in (*pages, f"/models/{two_models[0]}/report"):
        page = client.simulate_get(path, headers=HTML | ADMIN)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
    assert client.simulate_get("/models/gone/report", headers=HTML | ADMIN).status_code == 404


def test_lists_the_runs_of_the_pipeline(client, container):
    pipeline, stones = container.run_pipeline(), some_stones(1500)
    pipeline([InMemoryStoneSource(stones, "a.csv")], TrainingConfig(by="cron"))
    other = some_stones(200, seed=2).rows.copy()
    other["price"] *= 100
    held = InMemoryStoneSource(DiamondTable(other), "b.csv")
    pipeline([InMemoryStoneSource(stones, "a.csv"), held], TrainingConfig(by="cron"))
    answer = client.simulate_get("/v1/pipeline", headers=ADMIN)
    kept = container.pipeline_runs().runs()
    assert answer.json["next"] is None
    assert answer.json["edges"] == list(EDGES)
    for found, run in zip(answer.json["runs"], kept, strict=True):
        plain = to_plain(run)
        for each in plain["deliveries"]:
            each["levels"] = {} if each["status"] == "known" else each["levels"]
        assert found == {name: plain[name] for name in found}
        assert set(plain) - set(found) == {"complete", "made_by"}
    deliveries = answer.json["runs"][[each.outcome for each in kept].index("held")]["deliveries"]
    assert [(each["source"], each["status"]) for each in deliveries] == [
        ("a.csv", "known"),
        ("b.csv", "held"),
    ]
    assert "are they in USD" in deliveries[1]["reason"]
    for level in deliveries[1]["levels"].values():
        assert len(level["delivered"]) == len(level["stored"]) == len(EDGES) - 1
        assert sum(level["delivered"]) == 200
    container.pipeline_runs().failure = Unavailable("the disk fails")
    failed = client.simulate_get("/v1/pipeline", headers=ADMIN)
    assert (failed.status_code, "retry-after" in failed.headers) == (503, True)


def test_runs_every_command(client, run, container, two_models, tmp_path):
    good, poor = two_models
    priced = client.simulate_post("/v1/predictions", json=STONE, headers=ADMIN).json
    assert json.loads(run("predict", *OPTIONS, "--json"))["price"] == priced["price"]
    assert json.loads(run("similar", *OPTIONS, "-n", "2", "--json"))["diamonds"]
    assert [card["id"] for card in json.loads(run("models", "list", "--json"))] == [good, poor]
    assert good in run("models", "list")
    assert f"memory: {good}" in run("models", "show", "champion")
    assert json.loads(run("models", "compare", good, poor, "--json"))["better"] == poor
    assert json.loads(run("models", "rollback", "--json"))["champion"] == poor
    run("models", "promote", good, "--reason", "a test")
    assert priced["id"] in run("requests", "list", "--json")
    assert json.loads(run("requests", "show", priced["id"], "--json"))["id"] == priced["id"]
    assert priced["id"] in run("requests", "export")
    assert json.loads(run("requests", "prune", "--older-than", "0s", "--json"))["pruned"] == 1
    trained = json.loads(run("train", "--family", "formula", "--json"))
    assert trained["models"][0]["family"] == "formula"
    (tmp_path / "stones.csv").write_text("carat,cut,color,clarity\n1.1,Ideal,H,SI2\n")
    assert "predicted_price" in run("predict", str(tmp_path / "stones.csv"))
    added = json.loads(run("data", "add", "bundled", "--json"))
    (delivery,) = added["deliveries"]
    assert delivery["status"] == "added"
    assert [each["id"] for each in json.loads(run("data", "list", "--json"))] == [delivery["id"]]
    assert delivery["id"] in run("data", "show", delivery["id"])
    assert run("data", "rejected", delivery["id"]).count("\n") == delivery["rejected"] + 1
    (version,) = json.loads(run("data", "versions", "--json"))
    assert version["stones"] == added["stones"] == delivery["new"]
    trained = json.loads(run("train", "--family", "formula", "--json"))
    assert trained["models"][0]["data"]["version"] == version["version"]
    assert "FAIL" not in run("doctor")
    assert not container.settings().home.exists()


def test_shows_damage_and_outages_without_knowing_the_adapter(client, run, container, two_models):
    good, poor = two_models
    repository, log = container.model_repository(), container.request_log()
    repository.damage(poor, "model.onnx")
    assert f"the model '{poor}': model.onnx is not the file" in run("doctor", code=1)
    repository.damage(poor, "card.json")
    models = client.simulate_get("/v1/models", headers=ADMIN).json
    assert [card["id"] for card in models["models"]] == [good]
    assert [each["id"] for each in models["damaged"]] == [poor]
    log.failure = Unavailable("the log fails")
    assert client.simulate_post("/v1/predictions", json=STONE, headers=ADMIN).status_code == 200
    assert client.simulate_get("/v1/requests", headers=ADMIN).status_code == 503
    assert client.simulate_get("/readyz").json["problems"] == ["the log fails"]
    repository.failure = Unavailable("the store fails")
    assert client.simulate_get("/v1/models", headers=ADMIN).status_code == 503
    assert client.simulate_post("/v1/predictions", json=STONE, headers=ADMIN).status_code == 200
    assert "the store fails" in run("doctor", code=1)
    assert not container.settings().home.exists()
