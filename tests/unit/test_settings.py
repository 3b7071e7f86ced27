from pathlib import Path

import pytest

from diamond_app.settings import ApiKeys, Settings
from diamond_core import InvalidSetting

NO_FILE = Path("/nowhere/.env")


def test_has_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.load({})
    assert settings.home == tmp_path / "diamond-home"
    assert settings.models_url == f"file://{tmp_path}/diamond-home"
    assert settings.database_url == f"sqlite:///{tmp_path}/diamond-home/requests.db"
    assert not settings.api_keys


def test_reads_a_dotenv_file_and_prefers_the_environment(tmp_path):
    file = tmp_path / ".env"
    file.write_text(f"DIAMOND_HOME={tmp_path}/a\nDIAMOND_DATABASE_URL='sqlite:///x.db'\n")
    settings = Settings.load({"DIAMOND_HOME": str(tmp_path / "b")}, file)
    assert settings.home == tmp_path / "b"
    assert settings.database_url == "sqlite:///x.db"


def test_refuses_a_home_that_is_a_file(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(InvalidSetting, match="DIAMOND_HOME"):
        Settings.load({"DIAMOND_HOME": str(tmp_path / "home")}, NO_FILE)


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


@pytest.mark.parametrize("prefix", ["@", ""])
def test_reads_keys_from_a_file(tmp_path, prefix):
    file = tmp_path / "keys"
    file.write_text("# who may\n\nadmin:secret, one#\r\n  web:secret-two  \n", encoding="utf-8")
    keys = ApiKeys.parse(f"{prefix}{file}")
    assert keys.name_of("secret, one#") == "admin"
    assert keys.name_of("secret-two") == "web"
    assert len(keys.digests) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"admin:secret-one\nsecret-two\n", "line 2 is not name:secret"),
        (b"\n\na:secret-one\na:secret-two", "'a' stands twice"),
        (b"a:secret-\xff", "not UTF-8"),
        (None, "No such file"),
    ],
)
def test_tells_what_is_wrong_with_a_file_of_keys(tmp_path, content, told):
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSetting, match=told) as caught:
        ApiKeys.parse(f"@{file}")
    assert "secret-" not in str(caught.value)


def test_takes_the_key_for_one_run_from_the_environment_only(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("DIAMOND_ONE_TIME_ADMIN_KEY=left-behind\n")
    one_time = {"DIAMOND_ONE_TIME_ADMIN_KEY": "for-this-run"}
    keys = Settings.load(one_time, dotenv).api_keys
    assert keys.name_of("for-this-run") == "admin"
    assert not keys.needed_to_price
    assert not Settings.load({}, dotenv).api_keys
    both = Settings.load(one_time | {"DIAMOND_API_KEYS": "web:web-secret"}, dotenv).api_keys
    assert both.needed_to_price
    assert both.name_of("for-this-run") is None


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
