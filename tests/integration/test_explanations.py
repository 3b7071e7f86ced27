"""Why a price, over HTTP and on the command line, with a served graph."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from falcon import testing
from support import STONE
from wired import in_memory, with_champion

from diamond_adapters.sources.bundled import BundledSource
from diamond_app import open_home
from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core import ExchangeFilter, read_stones


@pytest.fixture
def container():
    return with_champion(in_memory())


@pytest.fixture
def client(container):
    return testing.TestClient(app_of(container))


def cents(amount):
    return round(amount * 100)


def test_adds_up_to_the_predicted_price(container, client):
    answer = client.simulate_post("/v1/explanations", json={"diamond": STONE}).json
    price = client.simulate_post("/v1/predictions", json=STONE).json
    assert (answer["price"], answer["price_range"]) == (price["price"], price["price_range"])
    assert [each["name"] for each in answer["contributions"]] == [
        "carat", "cut", "color", "clarity", "measurements"
    ]  # fmt: skip
    total = sum(cents(each["amount"]) for each in answer["contributions"])
    assert total + cents(answer["reference"]["price"]) == cents(answer["price"])
    assert answer["reference"]["is_typical"]
    assert answer["sentence"].startswith("The typical stone costs $")
    (exchange,) = container.request_log().find(ExchangeFilter(path="/v1/explanations"), limit=2)
    assert exchange.model_id == answer["model"]["id"]


def test_compares_with_another_stone(client):
    better = STONE | {"carat": STONE["carat"] + 0.5}
    answer = client.simulate_post(
        "/v1/explanations", json={"diamond": better, "reference": STONE}
    ).json
    amounts = {each["name"]: each["amount"] for each in answer["contributions"]}
    assert amounts.pop("carat") > 0
    assert set(amounts.values()) == {0.0}
    assert answer["sentence"].startswith("The other stone costs $")
    assert not answer["reference"]["is_typical"]
    same = {"diamond": STONE, "reference": STONE}
    answer = client.simulate_post("/v1/explanations", json=same).json
    assert answer["sentence"].endswith("and so does this one.")


def test_takes_grades_as_traders_write_them(client):
    loose = STONE | {"cut": "very good"}
    answer = client.simulate_post("/v1/explanations", json={"diamond": loose})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ([], [""]),
        ({"diamond": 3}, ["/diamond"]),
        ({"diamond": STONE | {"carat": -1, "cut": "x"}}, ["/diamond/carat", "/diamond/cut"]),
        ({"diamond": STONE, "reference": {}}, [f"/reference/{n}" for n in ("carat", "cut", "color", "clarity")]),
        ({"diamond": STONE, "other": 1}, ["/other"]),
    ],
)  # fmt: skip
def test_names_what_is_wrong(client, body, pointers):
    answer = client.simulate_post("/v1/explanations", json=body)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == pointers


def test_bad_json_and_no_model(client):
    json = {"Content-Type": "application/json"}
    answer = client.simulate_post("/v1/explanations", body=b"{", headers=json)
    assert answer.status_code == 400
    bare = testing.TestClient(app_of(in_memory()))
    assert bare.simulate_post("/v1/explanations", json={"diamond": STONE}).status_code == 503


def test_the_command_says_why(container):
    options = [part for name, value in STONE.items() for part in (f"--{name}", str(value))]
    done = CliRunner().invoke(cli, ["predict", *options, "--explain"], obj=container)
    assert "a typical stone" in done.stdout
    assert "The typical stone costs $" in done.stdout
    done = CliRunner().invoke(cli, ["predict", *options, "--explain", "--json"], obj=container)
    assert json.loads(done.stdout)["reference"]["is_typical"]


def test_explanations_of_many_stones_by_a_served_graph_add_up(trained_home):
    home = open_home(trained_home)
    explain, price = home.explain_price, home.price_diamonds
    stones = read_stones([BundledSource()])[0].table
    for each in stones[:: len(stones) // 500]:
        found = explain(each)
        total = sum(cents(one.amount) for one in found.contributions)
        assert total + cents(found.reference_price) == cents(found.price)
        assert found.price == price.one(each).price
