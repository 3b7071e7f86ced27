"""The settings that the environment gives."""

from pathlib import Path
from urllib.parse import quote

import pytest

from diamond_app.settings import ApiKeys, Settings
from diamond_core import InvalidSetting

NO_FILE = Path("/nowhere/.env")


def test_has_defaults():
    settings = Settings.load({}, NO_FILE)
    assert settings.home == Path.cwd() / "diamond-home"
    assert settings.models_url == settings.home.as_uri()
    assert settings.database_url == f"sqlite:///{quote(str(settings.home))}/requests.db"
    assert not settings.api_keys


def test_knows_keys_by_their_secret_and_forgets_the_secret():
    keys = ApiKeys.parse("admin:secret-one, web:secret:two")
    assert keys.name_of("secret-one") == "admin"
    assert keys.name_of("secret:two") == "web"
    assert keys.name_of("secret") is None
    assert keys.name_of("") is None
    assert "secret" not in repr(keys)
    assert "secret" not in repr(
        Settings(
            home=Path(),
            models_url="s3://u:secret@h/b",
            data_url="s3://u:secret@h/d",
            notify_url="https://hooks.example/secret",
            database_url="mysql://u:secret@h/d",
            api_keys=keys,
        )
    )


@pytest.mark.parametrize(
    "text", ["nocolon1", "a:short", "a b:secret-one", ":secret-one", "a:secret-one,a:secret-two"]
)
def test_refuses_keys_without_repeating_a_secret(text):
    with pytest.raises(InvalidSetting) as caught:
        ApiKeys.parse(text)
    assert "DIAMOND_API_KEYS" in str(caught.value)
    assert "secret-" not in str(caught.value)
    assert "nocolon1" not in str(caught.value)


def test_the_spool_survives_a_killed_process_and_on_demand_a_power_cut():
    assert not Settings.load({}, NO_FILE).spool_durable
    assert Settings.load({"DIAMOND_SPOOL_SYNC": "power"}, NO_FILE).spool_durable
    with pytest.raises(InvalidSetting, match="DIAMOND_SPOOL_SYNC"):
        Settings.load({"DIAMOND_SPOOL_SYNC": "always"}, NO_FILE)


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 1 << 30), ("2GiB", 2 << 30), ("64 MB", 64 << 20), ("1048576", 1 << 20), ("1t", 1 << 40)],
)
def test_the_spool_has_a_limit(text, size):
    assert Settings.load({"DIAMOND_SPOOL_LIMIT": text}, NO_FILE).spool_limit == size


@pytest.mark.parametrize("text", ["much", "1000", "-5GiB", "0", "1.5G"])
def test_refuses_a_limit_that_is_none(text):
    with pytest.raises(InvalidSetting, match="DIAMOND_SPOOL_LIMIT"):
        Settings.load({"DIAMOND_SPOOL_LIMIT": text}, NO_FILE)
