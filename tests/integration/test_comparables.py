"""Comparable stones over HTTP and on the command line: near grades, and what they say of a price."""

from __future__ import annotations

import json

from click.testing import CliRunner
from falcon import testing
from support import STONE

from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core import ChooseChampion, Diamond, DiamondTable
from diamond_core.testing import a_card, a_fitted_model
from diamond_core.testing.samples import NOON

OPTIONS = [word for name, value in STONE.items() for word in (f"--{name}", str(value))]


def run(container, *arguments):
    return CliRunner().invoke(cli, [*arguments], obj=container)


def test_near_grades_are_ranked_by_price(container, client):
    exact = client.simulate_get("/v1/similar", params=STONE | {"n": 4}).json
    near = client.simulate_get("/v1/similar", params=STONE | {"n": 4, "grades": "near"}).json
    assert all("price_distance" not in each for each in exact["diamonds"])
    distances = [each["price_distance"] for each in near["diamonds"]]
    assert distances == sorted(distances)
    assert len(distances) == 4
    assert near["available"] > exact["available"]
    grades = {(each["cut"], each["color"], each["clarity"]) for each in near["diamonds"]}
    assert len(grades) > 1
    printed = run(container, "similar", *OPTIONS, "-n", "4", "--grades", "near", "--json")
    assert json.loads(printed.stdout) == near
    table = run(container, "similar", *OPTIONS, "--grades", "near").stdout
    assert "like Ideal cut" in table
    assert "price_distance" in table
    given = client.simulate_get("/v1/similar", params=STONE | {"n": 4, "grades": "exact"}).json
    assert given == exact


def test_names_wrong_grades_with_every_other_field(client):
    wrong = {"carat": "0", "grades": "nearly", "n": "0", "cut": "Ideal", "color": "H"}
    answer = client.simulate_get("/v1/similar", params=wrong)
    assert answer.status_code == 422
    pointers = {each["pointer"] for each in answer.json["errors"]}
    assert pointers == {"/carat", "/clarity", "/grades", "/n"}


def test_says_where_the_price_is_among_the_comparable_stones(container, client):
    found = client.simulate_get("/v1/ladder", params=STONE).json["comparables"]
    assert found["count"] == 5
    assert found["lowest"] <= found["expected"] <= found["highest"] or not found["same_grades"]
    printed = run(container, "predict", *OPTIONS).stdout
    assert found["sentence"] in printed
    assert "Round, natural, polished; at the prices of the training data." in printed


def test_warns_where_the_comparable_stones_contradict_the_price(container):
    stones = DiamondTable.from_diamonds([Diamond.parse(STONE)] * 5, [50_000.0] * 5)
    card = a_card("expensive-1")
    container.history().publish(card, a_fitted_model(stones), stones)
    ChooseChampion(container.history(), lambda: NOON).promote(card.id, reason="test", by="test")
    printed = run(container, "predict", *OPTIONS).stdout
    client = testing.TestClient(app_of(container))
    found = client.simulate_get("/v1/ladder", params=STONE).json["comparables"]
    assert (found["agrees"], found["position"], found["expected"]) == (False, "below", 50_000.0)
    assert found["warning"].endswith("$50,000, above the price range.")
    assert found["warning"] in printed


def test_a_card_says_what_is_priced(client):
    data = client.simulate_get("/v1/models/champion").json["data"]
    assert (data["priced_since"], data["priced_until"]) == ("", "")
    assert data["priced_as"] == "Round, natural, polished; at the prices of the training data."
