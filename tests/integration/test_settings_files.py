"""The settings that files give: .env, and the file of keys."""

from pathlib import Path

import pytest

from diamond_app.settings import ApiKeys, Settings
from diamond_core import InvalidSetting

NO_FILE = Path("/nowhere/.env")


def test_reads_the_dotenv_file_of_the_present_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}).home == tmp_path / "diamond-home"
    (tmp_path / ".env").write_text("DIAMOND_HOME=elsewhere\n")
    assert Settings.load({}).home == tmp_path / "elsewhere"


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
        (b"\n\na:secret-one\na:secret-two", "'a' is used twice"),
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
