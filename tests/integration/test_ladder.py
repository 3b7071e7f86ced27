"""What if, over HTTP and on the command line, with a served formula."""

from __future__ import annotations

import json

from click.testing import CliRunner
from falcon import testing
from support import STONE
from wired import in_memory

from diamond_app import open_home
from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core import ExchangeFilter

MEASURED = STONE | {"depth": 61.5, "table": 57.0, "x": 6.6, "y": 6.64, "z": 4.07}
OPTIONS = [word for name, value in STONE.items() for word in (f"--{name}", str(value))]


def price_of(client, stone):
    return client.simulate_post("/v1/predictions", json=stone).json


def test_each_price_is_that_of_a_prediction(container, client):
    answer = client.simulate_get("/v1/ladder", params=MEASURED).json
    assert answer["diamond"] == MEASURED
    price = price_of(client, MEASURED)
    assert (answer["price"], answer["price_range"]) == (price["price"], price["price_range"])
    assert answer["grades"]["cut"]["up"] is None
    steps = [step for pair in answer["grades"].values() for step in pair.values() if step]
    assert [(step["field"], step["value"]) for step in steps] == [
        ("cut", "Premium"), ("color", "G"), ("color", "I"), ("clarity", "SI1"), ("clarity", "I1")
    ]  # fmt: skip
    for step in steps:
        other = price_of(client, MEASURED | {step["field"]: step["value"]})
        assert (step["price"], step["price_range"]) == (other["price"], other["price_range"])
        assert step["difference"] == round(step["price"] - answer["price"], 2)
    assert [each["value"] for each in answer["weights"]] == [0.9, 1.0, 1.2, 1.5]
    for each in answer["weights"]:
        assert each["price"] == price_of(client, STONE | {"carat": each["value"]})["price"]
        assert each["jump"] == round(each["price"] - each["price_below"], 2) > 0
    carats = [point["carat"] for point in answer["curve"]]
    assert carats == sorted(set(carats))
    assert {0.89, 0.9, 0.99, 1.0, 1.1, 1.5} <= set(carats)
    assert all(each["low"] < each["price"] < each["high"] for each in answer["curve"])
    (exchange,) = container.request_log().find(ExchangeFilter(path="/v1/ladder"), limit=2)
    assert exchange.model_id == answer["model"]["id"]


def test_names_every_wrong_field(client):
    wrong = {"carat": "0", "cut": "Shiny", "color": "H", "depth": "x", "weight": "1"}
    answer = client.simulate_get("/v1/ladder", params=wrong)
    assert answer.status_code == 422
    pointers = {each["pointer"] for each in answer.json["errors"]}
    assert pointers == {"/carat", "/cut", "/clarity", "/depth", "/weight"}


def test_reads_grades_as_people_write_them(client):
    loose = {"carat": "1,1", "cut": "very good", "color": "h", "clarity": "si-2"}
    answer = client.simulate_get("/v1/ladder", params=loose)
    assert answer.json["diamond"]["cut"] == "Very Good"


def test_answers_503_without_a_model():
    client = testing.TestClient(app_of(in_memory()))
    assert client.simulate_get("/v1/ladder", params=STONE).status_code == 503


def test_the_command_prints_what_http_answers(container, client):
    printed = CliRunner().invoke(cli, ["ladder", *OPTIONS, "--json"], obj=container)
    assert json.loads(printed.stdout) == client.simulate_get("/v1/ladder", params=STONE).json


def test_the_command_prints_tables_for_people(container):
    printed = CliRunner().invoke(cli, ["ladder", *OPTIONS], obj=container).stdout
    for words in ("cut Premium", "clarity SI1", "1.00 ct", "jump", "+"):
        assert words in printed
    assert "cut Ideal" not in printed
    wrong = CliRunner().invoke(cli, ["ladder", *OPTIONS, "--x", "-1"], obj=container)
    assert wrong.exit_code == 1


def test_a_notebook_has_it_too(container):
    home = open_home()
    home.container = container
    (stone,) = container.champion_follower().get().similar.stones[:1]
    assert home.price_ladder(stone).diamond == stone
