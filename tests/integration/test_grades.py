"""What describes a stone, and what finds similar ones: the same over HTTP and at the command line."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from falcon import testing
from support import STONE
from wired import in_memory, with_champion

from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core.stones.fields import OPTIONAL

ADMIN = {"X-API-Key": "admin-secret"}
SCALES = {
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": ["J", "I", "H", "G", "F", "E", "D"],
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}
NUMBERS = {
    "carat": ("ct", 0.001, 1000, True),
    "depth": ("%", 0.001, 100, False),
    "table": ("%", 0.001, 100, False),
    "x": ("mm", 0.001, 100, False),
    "y": ("mm", 0.001, 100, False),
    "z": ("mm", 0.001, 100, False),
}
SENTENCE = re.compile(r"[A-Z].{15,}\.")


@pytest.fixture(scope="module")
def container():
    """The application with keys and a champion, on adapters in memory."""
    return with_champion(in_memory(api_keys="admin:admin-secret"))


@pytest.fixture(scope="module")
def client(container):
    return testing.TestClient(app_of(container))


@pytest.fixture(scope="module")
def told(client):
    return client.simulate_get("/v1/grades").json


def run(container, *arguments):
    return CliRunner().invoke(cli, arguments, obj=container)


def test_needs_no_key_where_keys_are_set(client):
    assert client.simulate_get("/v1/models").status_code == 401
    answer = client.simulate_get("/v1/grades")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    described = client.simulate_get("/openapi.json").json["paths"]["/v1/grades"]["get"]
    assert described["security"] == []


@pytest.mark.parametrize("name", SCALES)
def test_lists_the_grades_of_a_scale_worst_first_each_with_a_sentence(told, name):
    assert [each["grade"] for each in told[name]] == SCALES[name]
    meanings = [each["meaning"] for each in told[name]]
    assert [meaning for meaning in meanings if not SENTENCE.fullmatch(meaning)] == []
    assert len(set(meanings)) == len(meanings)


def test_describes_each_scale_and_each_number(told):
    assert set(told) == {*SCALES, "scales", "fields"}
    assert {name: each["required"] for name, each in told["scales"].items()} == dict.fromkeys(
        SCALES, True
    )
    assert {
        name: (each["unit"], each["minimum"], each["maximum"], each["required"])
        for name, each in told["fields"].items()
    } == NUMBERS
    for each in (*told["scales"].values(), *told["fields"].values()):
        assert each["label"]
        assert SENTENCE.match(each["about"])


@pytest.mark.parametrize("name", NUMBERS)
def test_takes_the_limits_that_it_tells_and_nothing_beyond(client, told, name):
    limits = told["fields"][name]
    for value, status in (
        (limits["minimum"], 200),
        (limits["maximum"], 200),
        (limits["minimum"] * 0.999, 422),
        (limits["maximum"] * 1.001, 422),
    ):
        stone = STONE | {name: value}
        if name == "carat":  # a model prices only weights near those that it knows
            answer = client.simulate_get("/v1/similar", params=stone, headers=ADMIN)
        else:
            answer = client.simulate_post("/v1/predictions", json=stone, headers=ADMIN)
        assert answer.status_code == status, value


def test_the_command_tells_the_same(container, told):
    done = run(container, "grades", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, told)


def test_the_command_shows_each_grade_and_number(container, told):
    lines = run(container, "grades").stdout.splitlines()
    rows = [re.split(r"  +", line.strip()) for line in lines]
    for name in SCALES:
        scale = told["scales"][name]
        start = rows.index([f"{scale['label']}: {scale['about']}"]) + 2
        grades = [[each["grade"], each["meaning"]] for each in told[name]]
        assert rows[start : start + len(grades)] == grades
    for name, (unit, minimum, maximum, required) in NUMBERS.items():
        numbers = [name, unit, f"{minimum:g}", f"{maximum:g}", *["required"] * required]
        assert [*numbers, told["fields"][name]["about"]] in rows


@pytest.mark.parametrize("field", OPTIONAL)
def test_finds_similar_stones_by_their_four_cs_alone(client, container, field):
    four_cs = {**STONE, "n": 2}
    assert client.simulate_get("/v1/similar", params=four_cs, headers=ADMIN).status_code == 200
    answer = client.simulate_get("/v1/similar", params=four_cs | {field: 5}, headers=ADMIN)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == [f"/{field}"]
    assert "carat, cut, color, clarity, n" in answer.json["errors"][0]["detail"]
    options = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]
    assert run(container, "similar", *options).exit_code == 0
    refused = run(container, "similar", *options, f"--{field}", "5")
    assert refused.exit_code == 2
    assert f"--{field}" in refused.stderr


def test_documents_the_parameters_that_it_takes(client):
    found = client.simulate_get("/openapi.json").json["paths"]["/v1/similar"]["get"]
    assert [each["name"] for each in found["parameters"]] == [*STONE, "n", "grades"]
