"""``diamond models`` as a person and as a script meets it."""

from __future__ import annotations

import json
import shutil

import pytest
from support import diamond


@pytest.fixture(scope="module")
def two_models(trained_once, sample_csv, tmp_path_factory):
    """A home of a champion and a second model, and their ids."""
    home = tmp_path_factory.mktemp("two") / "home"
    shutil.copytree(trained_once, home)
    diamond(home, "train", str(sample_csv), "--family", "linear", "--trials", "0")
    second, first = (
        card["id"] for card in json.loads(diamond(home, "models", "list", "--json").stdout)
    )
    return home, first, second


def test_shows_who_was_champion_when(two_models):
    home, first, second = two_models
    diamond(home, "models", "promote", second, "--reason", "a new season")
    diamond(home, "models", "rollback", "--reason", "prices look wrong")
    cards = {
        each["id"]: each for each in json.loads(diamond(home, "models", "list", "--json").stdout)
    }
    (between,) = cards[second]["champion_periods"]
    before, now = cards[first]["champion_periods"]
    assert before["until"] == between["since"]
    assert between["until"] == now["since"]
    assert now["until"] is None
    assert (between["reason"], now["reason"]) == ("a new season", "prices look wrong")
    assert diamond(home, "models", "list").stdout.count(" - now") == 1
    assert "prices look wrong" in diamond(home, "models", "show", "champion").stdout


def test_compares_two_models_on_the_same_hold_out(two_models, sample_csv):
    home, first, second = two_models
    found = json.loads(
        diamond(home, "models", "compare", first, second, str(sample_csv), "--json").stdout
    )
    card = json.loads(diamond(home, "models", "show", first, "--json").stdout)
    assert found["data"]["holdout_rows"] == card["data"]["holdout_rows"]
    assert found["models"][0]["metrics"] == pytest.approx(card["metrics"])
    assert found["models"][0]["coverage"] == pytest.approx(card["coverage"])
    assert all(each["trained_on_this_data"] for each in found["models"])
    assert {group["by"] for group in found["groups"]} == {"price", "cut", "color", "clarity"}


def test_compares_on_the_bundled_stones_unless_told_otherwise(two_models):
    home, first, second = two_models
    shown = diamond(home, "models", "compare", "champion", second).stdout
    assert "10,745 held-out stones of bundled diamonds" in shown
    assert first in shown
    assert "Note: A was trained on other data" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing", "champion"), "there is no model 'nothing'"),
        (("champion", "../../etc"), "is not a model id"),
        (("champion", "champion", "no-such.csv"), "file not found"),
    ],
)
def test_tells_in_one_line_what_it_cannot_compare(two_models, arguments, told):
    done = diamond(two_models[0], "models", "compare", *arguments, check=False)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_refuses_to_promote_a_model_whose_file_was_changed(trained_home, sample_csv):
    diamond(trained_home, "train", str(sample_csv), "--family", "linear", "--trials", "0")
    ids = [
        card["id"] for card in json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    ]
    graph = trained_home / "models" / ids[0] / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    done = diamond(trained_home, "models", "promote", ids[0], "--reason", "why not", check=False)
    assert done.returncode == 1
    assert "SHA-256 differs" in done.stderr
    assert (
        json.loads(diamond(trained_home, "models", "show", "champion", "--json").stdout)["id"]
        == ids[1]
    )


def test_a_training_is_found_again_by_its_note_and_tags(trained_home, small_csv):
    train = ("train", str(small_csv), "--family", "linear", "--force")
    note = "with the März stones, <b>first</b>"
    diamond(trained_home, *train, "--note", note, "--tag", "ticket=417", "--tag", "by=Ann = me")
    found = json.loads(
        diamond(trained_home, "models", "list", "--tag", "ticket=417", "--json").stdout
    )
    (card,) = found
    assert card["note"] == note
    assert card["tags"] == {"ticket": "417", "by": "Ann = me"}
    shown = diamond(trained_home, "models", "show", card["id"]).stdout
    assert note in shown
    assert "ticket=417" in shown
    none = diamond(trained_home, "models", "list", "--tag", "ticket=417", "--tag", "by=Bob").stdout
    assert none == "No model has these tags.\n"
    for wrong in ("ticket", "=417", "ticket="):
        done = diamond(trained_home, *train, "--tag", wrong, check=False)
        assert done.returncode == 2
        assert "KEY=VALUE" in done.stderr
