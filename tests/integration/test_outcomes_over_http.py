"""Outcomes as people report them: over HTTP and from a file, on SQLite and on MariaDB."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from falcon import testing
from load import workers_of
from support import STONE, diamond, serving, until
from wired import in_memory, with_champion

from diamond_adapters.requests.peewee_outcome_log import PeeweeOutcomeLog
from diamond_app.wsgi import app_of
from diamond_core import Unavailable, current

KEYS = "admin:admin-secret,shop:shop-secret,web:web-secret"
SHOP, WEB, ADMIN = ({"X-API-Key": f"{name}-secret"} for name in ("shop", "web", "admin"))


@pytest.fixture
def container():
    return with_champion(in_memory(api_keys=KEYS))


@pytest.fixture
def client(container):
    return testing.TestClient(app_of(container))


@pytest.fixture
def priced(client):
    """The answer about a stone that 'shop' asked for."""
    return client.simulate_post("/v1/predictions", json=STONE, headers=SHOP).json


def report(client, id, body, headers=SHOP):
    return client.simulate_post(f"/v1/predictions/{id}/outcome", json=body, headers=headers)


def test_answers_how_good_the_price_was(client, priced):
    paid = round(priced["price"] * 0.99, 2)
    answer = report(client, priced["id"], {"price_paid": paid, "date": "2026-01-01"})
    assert answer.status_code == 200
    assert {name: answer.json[name] for name in ("id", "price_paid", "predicted", "date")} == {
        "id": priced["id"],
        "price_paid": paid,
        "predicted": priced["price"],
        "date": "2026-01-01",
    }
    assert answer.json["error"] == pytest.approx(priced["price"] - paid, abs=0.005)
    low, high = priced["price_range"]["low"], priced["price_range"]["high"]
    assert answer.json["in_range"] == (low <= paid <= high)


def test_a_stone_in_a_batch_and_in_a_csv(client, container):
    body = {"diamonds": [STONE, STONE | {"carat": 2.0}]}
    batch = client.simulate_post("/v1/predictions/batch", json=body, headers=SHOP).json
    second = batch["predictions"][1]
    answer = report(client, second["id"], {"price_paid": second["price"]})
    assert (answer.status_code, answer.json["error"]) == (200, 0.0)
    (kept,) = container.outcome_log().read()
    assert kept.diamond.carat == 2.0


def test_an_explained_price(client):
    for path, more in (("/v1/explanations", {}), ("/v1/predictions", {"explain": True})):
        found = client.simulate_post(path, json=STONE | more, headers=SHOP).json
        answer = report(client, found["id"], {"price_paid": found["price"]})
        assert (answer.status_code, answer.json["error"]) == (200, 0.0)


def test_is_idempotent_and_keeps_corrections(client, container, priced):
    price = priced["price"]
    first = report(client, priced["id"], {"price_paid": price})
    again = report(client, priced["id"], {"price_paid": price})
    assert again.json == first.json
    corrected = report(client, priced["id"], {"price_paid": price * 1.1}, ADMIN)
    assert (corrected.json["number"], corrected.json["key_name"]) == (2, "admin")
    assert len(list(container.outcome_log().read())) == 2


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        ({}, 422, ["/price_paid"]),
        ({"price_paid": "4,500"}, 422, ["/price_paid"]),
        ({"price_paid": -1}, 422, ["/price_paid"]),
        ({"price_paid": 1e300}, 422, ["/price_paid"]),
        ({"price_paid": 1e6}, 409, []),
        ({"price_paid": 5, "date": "soon", "tip": 1}, 422, ["/tip", "/date"]),
        ([1], 422, [""]),
    ],
)
def test_a_wrong_outcome_changes_nothing(client, container, priced, body, status, pointers):
    answer = report(client, priced["id"], body)
    assert answer.status_code == status
    assert [each["pointer"] for each in answer.json.get("errors", [])] == pointers
    assert list(container.outcome_log().read()) == []


def test_a_field_that_is_given_twice_changes_nothing(client, container, priced):
    answer = client.simulate_post(
        f"/v1/predictions/{priced['id']}/outcome",
        body='{"price_paid": 4000, "price_paid": 5000}',
        headers=SHOP | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert "more than once" in answer.json["detail"]
    assert list(container.outcome_log().read()) == []


def test_only_the_caller_or_an_administrator_reports(client, container, priced):
    body = {"price_paid": priced["price"]}
    refused = report(client, priced["id"], body, WEB)
    assert (refused.status_code, "another key" in refused.json["detail"]) == (403, True)
    assert report(client, priced["id"], body, {}).status_code == 401
    assert list(container.outcome_log().read()) == []
    assert report(client, priced["id"], body, ADMIN).status_code == 200


def test_a_prediction_that_was_deleted_or_never_was(client, container, priced):
    log = container.request_log()
    assert log.prune(container.clock()(), limit=100) == 1
    for id in (priced["id"], "nonsense", "0" * 32):
        answer = report(client, id, {"price_paid": priced["price"]})
        assert (answer.status_code, "no prediction" in answer.json["detail"]) == (404, True)
    assert list(container.outcome_log().read()) == []


def test_says_when_to_try_again(client, container, priced):
    container.request_log().failure = Unavailable("the database is away")
    answer = report(client, priced["id"], {"price_paid": priced["price"]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    container.request_log().failure = None
    container.outcome_log().failure = Unavailable("the database is away")
    assert report(client, priced["id"], {"price_paid": 5000}).status_code == 503


@pytest.fixture(params=["sqlite", "mysql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record' / 'requests.db'}"
    return request.getfixturevalue("mysql_url")


def test_what_was_answered_survives_killed_workers(trained_home, url):
    """Each outcome that was answered with 200 is kept once, whatever was killed meanwhile."""
    kept: dict[str, float] = {}
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        for number in range(60):
            stone = STONE | {"carat": 0.5 + number / 100}
            priced = service.post("/v1/predictions", stone).json
            if number % 20 == 10:
                os.kill(workers_of(service)[0], signal.SIGKILL)
            paid = round(priced["price"] * (0.9 + number % 3 / 10), 2)

            def report(id=priced["id"], paid=paid):
                try:
                    return service.post(f"/v1/predictions/{id}/outcome", {"price_paid": paid})
                except OSError:  # the worker was killed
                    return None

            answer = until(report, "an answer")
            assert answer.status == 200, answer.json
            kept[priced["id"]] = paid
    log = PeeweeOutcomeLog.from_url(url)
    assert {each.id: each.price_paid for each in log.read()} == kept
    log.close()
    check_commands(trained_home, url, kept)


def check_commands(home: Path, url: str, kept: dict[str, float]) -> None:
    """The commands show, import and use what the service kept."""
    settings = {"DIAMOND_DATABASE_URL": url}
    listed = json.loads(diamond(home, "outcomes", "list", "-n", "100", "--json", **settings).stdout)
    assert {each["id"]: each["price_paid"] for each in listed} == kept
    (live,) = json.loads(diamond(home, "models", "live", "--json", **settings).stdout)
    errors = np.array([each["error"] for each in listed])
    assert live["outcomes"] == len(kept)
    assert live["mae"] == pytest.approx(np.abs(errors).mean())
    assert live["bias"] == pytest.approx(errors.mean())
    assert live["coverage"] == pytest.approx(np.mean([each["in_range"] for each in listed]))
    weeks = diamond(home, "models", "live", "champion", **settings).stdout
    assert "all" in weeks
    first, second, *_ = kept
    file = home.parent / "paid.csv"
    file.write_text(
        "Prediction;Paid;Date;Shop\n"
        f'{first.upper()};"$ {kept[first] + 1:.2f}";2026-11-01;x\n'
        f"{second};{str(kept[second]).replace('.', ',')};;\n"
        f"{'0' * 32};1000;;\n"
        f"{second};abc;;\n"
    )
    done = diamond(home, "outcomes", "import", str(file), check=False, **settings)
    assert done.returncode == 1
    assert done.stdout == "0 kept, 1 corrected, 1 known before, 2 refused\n"
    assert "line 4" in done.stderr
    assert "line 5" in done.stderr
    again = diamond(home, "outcomes", "import", str(file), "--json", check=False, **settings)
    assert {n: v for n, v in json.loads(again.stdout).items() if n != "refused"} == {
        "kept": 0,
        "corrected": 0,
        "known": 2,
    }
    corrected = list(current(PeeweeOutcomeLog.from_url(url).read()))
    assert len(corrected) == len(kept)
    added = json.loads(diamond(home, "data", "add", "outcomes", "--json", **settings).stdout)
    (delivery,) = added["deliveries"]
    assert (delivery["new"], delivery["rejected"], delivery["source"]) == (60, 0, "outcomes")
    file.write_text("id,price,paid\n")
    twice = diamond(home, "outcomes", "import", str(file), check=False, **settings)
    assert (twice.returncode, "price and paid" in twice.stderr) == (1, True)
    bare = diamond(home, "outcomes", "import", "nowhere.csv", check=False, **settings)
    assert bare.returncode == 1
    assert len(bare.stderr.splitlines()) == 1
