"""A home belongs to one user whatever the umask, and holds all its files whatever its name."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing

import pytest
from click.testing import CliRunner
from falcon import testing
from support import STONE, diamond, small_disk
from wired import in_memory, with_champion

from diamond_adapters.in_memory import InMemoryStoneSource
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.rows import to_row
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_app import open_home
from diamond_app.cli.main import cli
from diamond_app.wsgi import app_of
from diamond_core import ExchangeFilter, TrainingConfig, Unavailable
from diamond_core.testing import an_exchange, some_stones

ODD = "a %41?b#c d"


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def no_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("DIAMOND_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_every_file_is_inside_and_private(tmp_path, open_umask, no_settings):
    home = open_home(tmp_path / ODD / "home")
    config = TrainingConfig(families=("xgboost",), trials=1, study=home.container.study())
    home.train_models([InMemoryStoneSource(some_stones(800))], config)
    home.champion_follower.refresh()
    priced = testing.TestClient(app_of(home.container)).simulate_post("/v1/predictions", json=STONE)
    home.container.dead_letters().add(to_row(an_exchange()), "refused")
    (found,) = home.request_log.find(ExchangeFilter(id=priced.json["id"]), limit=2)
    assert json.loads(found.response_body) == priced.json
    with closing(sqlite3.connect(home.settings.home / "requests.db")) as database:
        assert database.execute("SELECT id FROM requests").fetchall() == [(found.id,)]

    assert [each.name for each in tmp_path.iterdir()] == [ODD]
    for name in ("studies.journal", "requests.db-wal", "spool/dead-letters.sqlite", "promotions"):
        assert (home.settings.home / name).exists()
    shared = [
        f"{each.relative_to(tmp_path)} {each.stat().st_mode:o}"
        for each in tmp_path.rglob("*")
        if stat.S_IMODE(each.stat().st_mode) != (0o700 if each.is_dir() else 0o600)
    ]
    assert shared == []


def test_a_file_for_the_user_keeps_the_users_umask(trained_home, open_umask):
    table, priced = trained_home.parent / "stones.csv", trained_home.parent / "priced.csv"
    table.write_text("carat,cut,color,clarity\n1.1,Ideal,H,SI2\n")
    diamond(trained_home, "predict", str(table), "--output", str(priced))
    assert stat.S_IMODE(priced.stat().st_mode) == 0o666


def test_the_doctor_names_a_home_that_others_can_read(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    checked = {}
    for mode in (0o755, 0o700):
        home.chmod(mode)
        obj = with_champion(in_memory(home))
        findings = json.loads(CliRunner().invoke(cli, ["doctor", "--json"], obj=obj).output)
        checked[mode] = {each["check"]: each["problem"] for each in findings}
    assert f"run: chmod -R go= {home}" in checked[0o755]["home folder is private"]
    assert set(checked[0o700].values()) == {None}


@pytest.fixture
def full_disk(tmp_path):
    """A small file system on which half a megabyte does not fit."""
    folder = tmp_path / "disk"
    with small_disk(folder, "400k"):
        yield folder


def test_a_full_disk_is_named(full_disk, tmp_path, no_settings):
    large = [
        an_exchange(request_id=f"r{number}", response_body=b"z" * 99_000) for number in range(5)
    ]
    log = PeeweeRequestLog.from_url(f"sqlite:///{full_disk}/requests.db")
    aside = SpooledRequestLog(log, tmp_path / "spool")
    aside.append_all(large)
    spool = SpooledRequestLog(log, full_disk)
    letters = open_home(full_disk).container.dead_letters()
    (full_disk / "spool").mkdir()
    for fill in (
        lambda: log.append_all(large),
        lambda: aside.find(ExchangeFilter(), limit=1),
        lambda: spool.append_all(large),
        lambda: [letters.add(to_row(each), "refused") for each in large],
    ):
        with pytest.raises(Unavailable, match="disk is full"):
            fill()
    for each in (aside, spool):
        each.close()
