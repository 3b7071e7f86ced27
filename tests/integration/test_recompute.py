"""The same model gives the same price: recorded prices are computed again, to the cent."""

from __future__ import annotations

import csv
import io
import json
import random

import pytest
from click.testing import CliRunner
from falcon import testing
from support import STONE
from wired import in_memory, with_champion

from diamond_app.cli.main import cli
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core import (
    ExchangeNotFound,
    ModelDamaged,
    NotRecomputable,
    Truncation,
    new_exchange_id,
    priced,
    read_requests,
)
from diamond_core.testing import an_exchange

SPELLINGS = {
    "Very Good": ["very good", "VG", " Very  Good "],
    "Ideal": ["ideal", "IDEAL"],
    "H": ["h", " H"],
    "VVS1": ["vvs1", "VVS-1"],
}


def requests_of(rows, chance):
    """Yield 1,000 requests: single stones, batches, CSV; measured and not, spelled oddly or not."""
    header, *lines = rows
    stones = [dict(zip(header, line, strict=True)) for line in chance.sample(lines, 1700)]
    for number in range(1000):
        some = [_sent(stones.pop(), chance) for _ in range(1 if number % 10 < 8 else 4)]
        if number % 10 < 8:
            yield "/v1/predictions", json.dumps(some[0]), "application/json"
        elif number % 10 == 8:
            body = {"diamonds": [*some, {"carat": -1}], "on_error": "report"}
            chance.shuffle(body["diamonds"])
            yield "/v1/predictions/batch", json.dumps(body), "application/json"
        else:
            text = io.StringIO()
            writer = csv.DictWriter(text, [*header, "note"], delimiter=chance.choice(",;"))
            writer.writeheader()
            writer.writerows(each | {"note": "=1+1"} for each in some)
            yield "/v1/predictions/batch", text.getvalue(), "text/csv; charset=utf-8"


def _sent(row, chance):
    """Return a stone as a caller could send it."""
    grades = {name: row[name] for name in ("cut", "color", "clarity")}
    if chance.random() < 0.3:
        grades = {
            name: chance.choice(SPELLINGS.get(grade, [grade])) for name, grade in grades.items()
        }
    stone = {"carat": float(row["carat"])} | grades
    names = ["depth", "table", "x", "y", "z"]
    kept = chance.choice([[], names, chance.sample(names, 2)])
    return stone | {name: float(row[name]) for name in kept if float(row[name])}


@pytest.mark.parametrize("family", ["linear", "xgboost"])
def test_a_thousand_recorded_exchanges_have_the_same_prices(
    family, tmp_path, sample_csv, bundled_rows
):
    wired = build_container(Settings.load({"DIAMOND_HOME": str(tmp_path / "home")}, tmp_path / "x"))
    args = ["train", str(sample_csv), "--family", family, "--trials", "0", "--json"]
    assert CliRunner().invoke(cli, args, obj=wired).exit_code == 0
    wired.champion_follower().refresh()
    client = testing.TestClient(app_of(wired))
    statuses = [
        client.simulate_post(path, body=body, headers={"Content-Type": type}).status_code
        for path, body, type in requests_of(bundled_rows, random.Random(5))
    ]

    recompute = wired.recompute_exchange()
    found = [recompute(each.id) for each in read_requests(wired.request_log(), *priced())]

    assert len(found) == statuses.count(200) > 990  # measurements of some contradict each other
    assert [each.id for each in found if not each.same] == []
    stones = [stone for each in found for stone in each.stones]
    assert len(stones) > 1500
    assert {len(stone.assumed) for stone in stones} >= {0, 3, 5}
    assert all(stone.recorded == stone.recomputed for stone in stones)
    wired.request_log().close()


def test_why_by_the_model_that_priced(client, container):
    answer = client.simulate_post("/v1/explanations", json=STONE).json
    recompute = container.recompute_exchange()
    assert recompute(answer["id"]).stones[0].explanation is None
    (stone,) = recompute(answer["id"], explained=1).stones
    assert stone.same
    why = answer["explanation"]
    assert (stone.explanation.base, stone.explanation.sentence()) == (why["base"], why["sentence"])
    body = {"diamonds": [STONE, STONE]}
    id = client.simulate_post("/v1/predictions/batch", json=body).headers["X-Request-ID"]
    first, second = recompute(id, explained=1).stones
    assert first.explanation.base == why["base"]
    assert second.explanation is None


def test_one_stone_of_a_batch(client, container):
    body = {"diamonds": [STONE, STONE | {"carat": 2.0}]}
    answers = client.simulate_post("/v1/predictions/batch", json=body).json["predictions"]

    (stone,) = container.recompute_exchange()(answers[1]["id"]).stones

    assert stone.id == answers[1]["id"]
    assert stone.diamond.carat == 2.0
    assert stone.recomputed.price == answers[1]["price"]
    assert len(container.recompute_exchange()(answers[1]["id"].partition("-")[0]).stones) == 2


def test_what_the_model_saw(client, container):
    answer = client.simulate_post("/v1/predictions", json=STONE | {"carat": 6}).json
    (stone,) = container.recompute_exchange()(answer["id"]).stones
    assert stone.assumed == answer["assumed"]
    assert stone.outside == answer["outside_training_range"] == ["carat", "price"]


def test_a_price_that_differs_is_found(client, container):
    answer = client.simulate_post("/v1/predictions", json=STONE)
    body = json.dumps(answer.json | {"price": answer.json["price"] + 0.01}).encode()
    id = new_exchange_id()
    request = json.dumps(STONE).encode()
    model = answer.json["model"]["id"]
    container.request_log().append(
        an_exchange(id=id, request_body=request, response_body=body, model_id=model)
    )

    done = CliRunner().invoke(cli, ["requests", "recompute", id], obj=container)

    assert done.exit_code == 1
    assert done.stdout.startswith("0 of 1 prices of 2026-01-02 12:00:00 UTC are the same")
    (stone,) = container.recompute_exchange()(id).stones
    assert stone.recorded.price - stone.recomputed.price == pytest.approx(0.01)


def test_the_command(client, container):
    answer = client.simulate_post("/v1/predictions", json=STONE).json
    done = CliRunner().invoke(cli, ["requests", "recompute", answer["id"]], obj=container)
    assert done.exit_code == 0
    assert "1 of 1 prices" in done.stdout
    assert "1.1 ct Ideal H SI2" in done.stdout
    done = CliRunner().invoke(cli, ["requests", "recompute", answer["id"], "--json"], obj=container)
    found = json.loads(done.stdout)
    assert (found["same"], found["model"]) == (True, answer["model"]["id"])
    prices = {"price": answer["price"], **answer["price_range"]}
    del prices["coverage"]
    (stone,) = found["stones"]
    assert stone["recorded"] == stone["recomputed"] == prices
    assert stone["diamond"]["carat"] == 1.1


def test_a_batch_of_many_is_shown_in_part(client, container):
    body = {"diamonds": [STONE] * 25}
    id = client.simulate_post("/v1/predictions/batch", json=body).headers["X-Request-ID"]
    done = CliRunner().invoke(cli, ["requests", "recompute", id], obj=container)
    assert "25 of 25 prices" in done.stdout
    assert "... and 5 more; --json has all" in done.stdout


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": "/v1/similar", "method": "GET"}, "it has no prices"),
        ({"status": 422}, "it has no prices"),
        ({"request_truncation": Truncation(10**7, "")}, "its bodies were not kept completely"),
        ({"model_id": "gone-1"}, "the model 'gone-1', which priced it, was removed"),
        ({"model_id": ""}, "it has no prices"),
    ],
)
def test_why_an_exchange_can_not_be_recomputed(client, container, changes, reason):
    answer = client.simulate_post("/v1/predictions", json=STONE)
    id = new_exchange_id()
    request = json.dumps(STONE).encode()
    values = {"model_id": "formula-1", "request_body": request, "response_body": answer.content}
    container.request_log().append(an_exchange(id=id, **values | changes))
    with pytest.raises(NotRecomputable, match=reason):
        container.recompute_exchange()(id)


def test_an_unknown_exchange(container):
    with pytest.raises(ExchangeNotFound):
        container.recompute_exchange()("none")


def test_a_damaged_model(client, container):
    answer = client.simulate_post("/v1/predictions", json=STONE).json
    container.model_repository().damage("formula-1", "model.onnx")
    with pytest.raises(ModelDamaged):
        container.recompute_exchange()(answer["id"])


def test_a_route_shows_what_the_model_saw_and_what_was_paid():
    wired = with_champion(in_memory(api_keys="admin:long-secret"))
    admin = testing.TestClient(app_of(wired), headers={"X-API-Key": "long-secret"})
    body = {"diamonds": [STONE, STONE | {"carat": 4.9}]}
    first, second = admin.simulate_post("/v1/predictions/batch", json=body).json["predictions"]
    for factor in (1.0, 1.01):
        admin.simulate_post(
            f"/v1/predictions/{second['id']}/outcome",
            json={"price_paid": round(second["price"] * factor, 2)},
        )

    answer = admin.simulate_get(f"/v1/requests/{first['id'][:32]}/prices").json

    assert (answer["count"], answer["same"]) == (2, True)
    assert [each["price"] for each in answer["prices"]] == [first["price"], second["price"]]
    assert [each["recomputed"] for each in answer["prices"]] == [first["price"], second["price"]]
    assert answer["prices"][1]["outside_training_range"] == second["outside_training_range"]
    assert answer["prices"][0]["assumed"] == first["assumed"]
    assert [len(each["outcomes"]) for each in answer["prices"]] == [0, 2]
    prices = f"/v1/requests/{first['id'][:32]}/prices"
    why = admin.simulate_get(prices, params={"explain": "true"}).json["prices"]
    assert all("explanation" not in each for each in answer["prices"])
    assert why[0]["explanation"]["is_typical"]
    added = sum(each["amount"] for each in why[1]["explanation"]["contributions"])
    assert why[1]["explanation"]["base"] + added == pytest.approx(second["price"], abs=0.001)
    wrong = admin.simulate_get(prices, params={"explain": "yes"})
    assert [each["pointer"] for each in wrong.json["errors"]] == ["/explain"]
    one = admin.simulate_get(f"/v1/requests/{second['id']}/prices").json
    assert one["prices"] == answer["prices"][1:]


def test_the_route_says_why_a_price_cannot_be_computed():
    wired = with_champion(in_memory(api_keys="admin:long-secret,web:other-secret"))
    admin = testing.TestClient(app_of(wired), headers={"X-API-Key": "long-secret"})
    id = admin.simulate_get("/v1/grades").headers["X-Request-ID"]
    assert admin.simulate_get(f"/v1/requests/{id}/prices").status_code == 409
    assert admin.simulate_get("/v1/requests/nothing/prices").status_code == 404
    web = {"X-API-Key": "other-secret"}
    assert admin.simulate_get(f"/v1/requests/{id}/prices", headers=web).status_code == 403
