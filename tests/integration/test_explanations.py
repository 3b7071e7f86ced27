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
from diamond_core import Diamond, ExchangeFilter, read_stones

OTHER = {"carat": 1.0, "cut": "Good", "color": "H", "clarity": "SI2"}
OPTIONS = [part for name, value in STONE.items() for part in (f"--{name}", str(value))]


def cents(amount):
    return round(amount * 100)


def adds_up(answer):
    why = answer["explanation"]
    total = sum(cents(each["amount"]) for each in why["contributions"])
    return cents(why["base"]) + total == cents(answer["price"])


def test_a_prediction_with_what_each_property_adds(container, client):
    answer = client.simulate_post("/v1/explanations", json=STONE).json
    price = client.simulate_post("/v1/predictions", json=STONE).json
    assert {name: answer[name] for name in price if name != "id"} == {
        name: value for name, value in price.items() if name != "id"
    }
    assert set(answer) - set(price) == {"explanation"}
    why = answer["explanation"]
    assert [each["what"] for each in why["contributions"]] == [
        "carat", "cut", "color", "clarity", "measurements"
    ]  # fmt: skip
    assert adds_up(answer)
    assert why["is_typical"]
    assert Diamond.parse(why["compared_with"]) == container.champion_follower().get().card.typical
    assert why["sentence"].startswith("The typical stone costs $")
    (exchange,) = container.request_log().find(ExchangeFilter(path="/v1/explanations"), limit=2)
    assert (exchange.model_id, exchange.id) == (answer["model"]["id"], answer["id"])


def test_a_prediction_is_explained_where_it_is_asked_for(client):
    explained = client.simulate_post("/v1/explanations", json=STONE).json
    answer = client.simulate_post("/v1/predictions", json=STONE | {"explain": True}).json
    assert answer | {"id": explained["id"]} == explained
    loose = STONE | {"cut": "very good", "explain": True}
    assert "explanation" in client.simulate_post("/v1/predictions", json=loose).json
    for body in (STONE, STONE | {"explain": False}, loose | {"explain": False}):
        assert "explanation" not in client.simulate_post("/v1/predictions", json=body).json


def test_compares_with_another_stone(client):
    better = STONE | {"carat": STONE["carat"] + 0.5}
    body = better | {"compared_with": STONE}
    answer = client.simulate_post("/v1/explanations", json=body).json
    why = answer["explanation"]
    assert adds_up(answer)
    assert why["base"] == client.simulate_post("/v1/predictions", json=STONE).json["price"]
    amounts = {each["what"]: each["amount"] for each in why["contributions"]}
    assert amounts.pop("carat") > 0
    assert set(amounts.values()) == {0.0}
    assert why["sentence"].startswith("The other stone costs $")
    assert not why["is_typical"]
    same = client.simulate_post("/v1/explanations", json=STONE | {"compared_with": STONE}).json
    assert same["explanation"]["sentence"].endswith("and so does this one.")


def test_takes_grades_as_traders_write_them(client):
    body = STONE | {"cut": "VG", "compared_with": OTHER | {"color": " h"}}
    answer = client.simulate_post("/v1/explanations", json=body)
    assert answer.status_code == 200
    assert answer.json["explanation"]["compared_with"]["color"] == "H"
    none = client.simulate_post("/v1/explanations", json=STONE | {"compared_with": None})
    assert none.json["explanation"]["is_typical"]


FOUR_CS = ("carat", "cut", "color", "clarity")
FLAT = {"depth": 61.5, "x": 6.6, "y": 6.6, "z": 2}


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [f"/{name}" for name in FOUR_CS]),
        ([], [""]),
        (STONE | {"carat": -1, "cut": "x"}, ["/carat", "/cut"]),
        (STONE | {"compared_with": 3}, ["/compared_with"]),
        (STONE | {"compared_with": {}}, [f"/compared_with/{name}" for name in FOUR_CS]),
        (STONE | FLAT | {"compared_with": OTHER | FLAT}, ["/depth", "/compared_with/depth"]),
        (STONE | {"color": "?", "compared_with": OTHER | {"cut": "?"}}, ["/color", "/compared_with/cut"]),
        (STONE | {"other": 1, "compared_with": OTHER | {"a/b": 1}}, ["/other", "/compared_with/a~1b"]),
        (STONE | {"compared_with": OTHER | {"compared_with": OTHER}}, ["/compared_with/compared_with"]),
        (STONE | {"explain": True}, ["/explain"]),
    ],
)  # fmt: skip
def test_names_all_that_is_wrong_at_once(client, body, pointers):
    answer = client.simulate_post("/v1/explanations", json=body)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == pointers


def test_refuses_weights_of_which_nothing_is_known(client):
    heavy = STONE | {"carat": 900.0}
    body = heavy | {"compared_with": OTHER | {"carat": 800.0}}
    answer = client.simulate_post("/v1/explanations", json=body)
    assert answer.status_code == 422
    pointers = [each["pointer"] for each in answer.json["errors"]]
    assert pointers == ["/carat", "/compared_with/carat"]
    answer = client.simulate_post("/v1/predictions", json=heavy | {"explain": True})
    assert [each["pointer"] for each in answer.json["errors"]] == ["/carat"]


@pytest.mark.parametrize("explain", [1, "true", None, [], {}])
def test_explain_is_true_or_false(client, explain):
    answer = client.simulate_post("/v1/predictions", json=STONE | {"explain": explain, "cut": "?"})
    assert [each["pointer"] for each in answer.json["errors"]] == ["/cut", "/explain"]


def test_a_stone_of_a_batch_is_not_explained(client):
    body = {"diamonds": [STONE, STONE | {"explain": True}]}
    answer = client.simulate_post("/v1/predictions/batch", json=body)
    assert [each["pointer"] for each in answer.json["errors"]] == ["/diamonds/1/explain"]
    other = client.simulate_post("/v1/predictions", json=STONE | {"compared_with": OTHER})
    assert [each["pointer"] for each in other.json["errors"]] == ["/compared_with"]


def test_bad_json_and_no_model(client):
    json = {"Content-Type": "application/json"}
    answer = client.simulate_post("/v1/explanations", body=b"{", headers=json)
    assert answer.status_code == 400
    bare = testing.TestClient(app_of(in_memory()))
    assert bare.simulate_post("/v1/explanations", json=STONE).status_code == 503


def test_a_model_without_a_typical_stone_in_its_card_is_explained_all_the_same():
    client = testing.TestClient(app_of(with_champion(in_memory(), typical=None)))
    answer = client.simulate_post("/v1/explanations", json=STONE).json
    assert adds_up(answer)
    assert answer["explanation"]["is_typical"]


def run(container, *more):
    return CliRunner().invoke(cli, ["predict", *OPTIONS, *more], obj=container)


def test_the_command_says_why(container, client):
    done = run(container, "--explain")
    assert "a typical stone (" in done.stdout
    assert "The typical stone costs $" in done.stdout
    found = json.loads(run(container, "--explain", "--json").stdout)
    answer = client.simulate_post("/v1/explanations", json=STONE).json
    assert found | {"id": answer["id"]} == answer


def test_the_command_compares_with_a_stone_in_brief(container):
    done = run(container, "--compared-with", "1.0 good h si2")
    assert "the other stone (1 ct, Good, H, SI2)" in done.stdout
    for brief in ("1 Very Good D IF", "1, very good, D, IF", "1,0  VG d if"):
        found = json.loads(run(container, "--compared-with", brief, "--json").stdout)
        assert adds_up(found)
        other = found["explanation"]["compared_with"]
        assert [other[name] for name in FOUR_CS] == [1.0, "Very Good", "D", "IF"]


@pytest.mark.parametrize(
    ("brief", "said"),
    [
        ("1.0 Good", "give weight, cut, color and clarity"),
        ("", "give weight, cut, color and clarity"),
        ("Good 1.0 H SI2", "carat: must be the weight in carats"),
        ("1.0 Good Q SI2", "color: must be one of"),
    ],
)
def test_a_wrong_stone_in_brief_is_a_wrong_usage_in_one_line(container, brief, said):
    done = run(container, "--compared-with", brief)
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("Error")]
    assert "--compared-with" in line
    assert said in line


def test_explanations_of_many_stones_by_a_served_graph_add_up(trained_home):
    home = open_home(trained_home)
    explain, price = home.explain_price, home.price_diamonds
    stones = read_stones([BundledSource()])[0].table
    for each in stones[:: len(stones) // 500]:
        found = explain(each)
        why = found.explanation
        total = sum(cents(one.amount) for one in why.contributions)
        assert total + cents(why.base) == cents(found.price)
        assert found.price == price.one(each).price


def test_the_typical_stone_is_in_the_card_of_a_trained_model(trained_home):
    home = open_home(trained_home)
    home.price_diamonds.pinned()  # loads the champion
    served = home.container.champion_follower().get()
    weights = sorted(served.similar.stones.carat)
    assert served.card.typical.carat == weights[(len(weights) - 1) // 2]
    assert served.card.typical.cut == "Ideal"
    assert served.card.typical.x is None
