"""``open_home`` gives the use cases of a home, as the commands and the service have them."""

from __future__ import annotations

import json

import pytest
from support import STONE, diamond, serving

from diamond_adapters.in_memory import InMemoryStoneSource
from diamond_app import open_home
from diamond_core import (
    Diamond,
    DiamondError,
    ExchangeFilter,
    InvalidSetting,
    NoChampion,
    TrainingConfig,
)
from diamond_core.testing import some_stones


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """Only what a test sets configures the product."""
    for name in ("HOME", "MODELS_URL", "DATABASE_URL", "API_KEYS", "SPOOL_LIMIT", "ALLOW_PICKLE"):
        monkeypatch.delenv(f"DIAMOND_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stone():
    return Diamond.parse(STONE)


def test_prices_as_the_command_does(trained_home, stone):
    options = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]
    told = json.loads(diamond(trained_home, "predict", *options, "--json").stdout)
    prediction = open_home(trained_home).price_diamonds.one(stone)
    assert prediction.price == told["price"]
    assert prediction.card.id == told["model"]["id"]


@pytest.mark.parametrize("where", ["argument", "environment", ".env", "default"])
def test_finds_the_home_where_the_commands_do(trained_home, stone, where, monkeypatch):
    given = None
    if where == "argument":
        monkeypatch.setenv("DIAMOND_HOME", "/nowhere")
        given = str(trained_home)
    elif where == "environment":
        monkeypatch.setenv("DIAMOND_HOME", str(trained_home))
    elif where == ".env":
        (trained_home.parent / ".env").write_text(f"DIAMOND_HOME={trained_home}\n")
    else:
        trained_home.rename("diamond-home")
    assert open_home(given).price_diamonds.one(stone).price > 0


def test_gives_every_use_case_of_a_home(trained_home, stone):
    home = open_home(trained_home)
    (card,) = home.history.cards()
    assert home.champion_follower.get().card == card
    assert home.find_similar(stone, 3).available > 0
    source = InMemoryStoneSource(some_stones(800))
    assert home.compare_models(card.id, card.id, [source]).better is None
    assert list(home.request_log.find(ExchangeFilter(), limit=1)) == []
    run = home.train_models([source], TrainingConfig(families=("linear",)))
    assert len(home.history.cards()) == 2
    other = next(each.id for each in run.cards if each.id != card.id)
    home.choose_champion.promote(other, reason="a test", by="a test")
    assert home.price_diamonds.one(stone).card.id == other


def test_follows_a_model_that_another_process_promotes(trained_home, small_csv, stone):
    home = open_home(trained_home)
    before = home.price_diamonds.one(stone).card.id
    diamond(trained_home, "train", str(small_csv), "--family", "linear", "--trials", "0")
    other = next(card.id for card in home.history.cards() if card.id != before)
    diamond(trained_home, "models", "promote", other, "--reason", "a test")
    assert home.price_diamonds.one(stone).card.id == other


def test_reads_what_a_running_service_recorded(trained_home):
    with serving(trained_home) as service:
        answered = service.post("/v1/predictions", STONE).json
        (found,) = open_home(trained_home).request_log.find(
            ExchangeFilter(id=answered["id"]), limit=10
        )
    assert json.loads(found.response_body) == answered


def test_says_when_there_is_no_model_and_makes_nothing(tmp_path, stone):
    home = open_home(tmp_path / "new")
    with pytest.raises(NoChampion, match="no model has been trained yet"):
        home.price_diamonds.one(stone)
    assert not (tmp_path / "new").exists()


def test_refuses_a_home_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match=r"^DIAMOND_HOME: .*file is not a folder$"):
        open_home(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "value"),
    [("DIAMOND_SPOOL_LIMIT", "much"), ("DIAMOND_ALLOW_PICKLE", "perhaps")],
)
def test_names_a_wrong_setting_at_once(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=f"^{name}: "):
        open_home(tmp_path)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("DIAMOND_MODELS_URL", lambda home: home.history),
        ("DIAMOND_DATABASE_URL", lambda home: home.request_log),
    ],
)
def test_names_a_wrong_url_where_it_is_used(tmp_path, monkeypatch, name, use):
    monkeypatch.setenv(name, "gopher://somewhere")
    home = open_home(tmp_path)
    with pytest.raises(DiamondError, match=f"^{name}: "):
        use(home)
