"""The settings that files give: .env, and the file of keys."""

import json
from pathlib import Path

import pytest
from support import STONE, diamond, serving, until

from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_app.settings import ApiKeys, Settings, given_settings
from diamond_core import ExchangeFilter, InvalidSetting

ROOT = Path(__file__).parents[2]
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


def test_a_secret_can_come_from_a_file(tmp_path):
    (tmp_path / "url").write_text("mysql://me:secret-word@db/x\n", encoding="utf-8")
    (tmp_path / "keys").write_text("admin:secret-one", encoding="utf-8")
    settings = Settings.load(
        {
            "DIAMOND_DATABASE_URL_FILE": str(tmp_path / "url"),
            "DIAMOND_API_KEYS_FILE": str(tmp_path / "keys"),
        },
        NO_FILE,
    )
    assert settings.database_url == "mysql://me:secret-word@db/x"
    assert settings.api_keys.name_of("secret-one") == "admin"


def test_the_environment_comes_before_the_dotenv_file_with_files_of_secrets_too(tmp_path):
    (tmp_path / "url").write_text("mysql://db/from-file", encoding="utf-8")
    dotenv = tmp_path / ".env"
    dotenv.write_text("DIAMOND_DATABASE_URL=mysql://db/from-dotenv\n", encoding="utf-8")
    assert Settings.load({}, dotenv).database_url == "mysql://db/from-dotenv"
    by_file = {"DIAMOND_DATABASE_URL_FILE": str(tmp_path / "url")}
    assert Settings.load(by_file, dotenv).database_url == "mysql://db/from-file"
    assert given_settings(by_file, dotenv)["DIAMOND_DATABASE_URL"].where.endswith("url")
    assert Settings.load({"DIAMOND_DATABASE_URL": ""}, dotenv).database_url.startswith("sqlite:")


def test_refuses_a_secret_that_is_given_twice_or_whose_file_is_missing(tmp_path):
    (tmp_path / "url").write_text("mysql://me:secret-word@db/x", encoding="utf-8")
    both = {"DIAMOND_NOTIFY_URL": "https://x/y", "DIAMOND_NOTIFY_URL_FILE": str(tmp_path / "url")}
    with pytest.raises(InvalidSetting, match="use one of them") as caught:
        Settings.load(both, NO_FILE)
    assert "secret-word" not in str(caught.value)
    with pytest.raises(InvalidSetting, match=r"DIAMOND_API_KEYS_FILE.*can't be read"):
        Settings.load({"DIAMOND_API_KEYS_FILE": str(tmp_path / "gone")}, NO_FILE)


def test_config_shows_where_each_setting_comes_from_and_no_secret(tmp_path):
    home = tmp_path / "home"
    (tmp_path / ".env").write_text("DIAMOND_KEEP_REQUESTS=90d\n", encoding="utf-8")
    (tmp_path / "url").write_text("mysql://me:secret-word@db.example/x", encoding="utf-8")
    given = {
        "DIAMOND_API_KEYS": "admin:secret-word-1,web:secret-word-2",
        "DIAMOND_DATABASE_URL_FILE": str(tmp_path / "url"),
        "DIAMOND_NOTIFY_URL": "https://chat.example/hook/secret-word",
    }
    done = diamond(home, "config", "--json", **given)
    found = {each["setting"]: (each["value"], each["from"]) for each in json.loads(done.stdout)}
    assert found["DIAMOND_HOME"] == (str(home), "environment")
    assert found["DIAMOND_KEEP_REQUESTS"] == ("90d", ".env")
    assert found["DIAMOND_SPOOL_LIMIT"] == ("1GiB", "default")
    assert found["DIAMOND_API_KEYS"] == ("admin:***, web:***", "environment")
    assert found["DIAMOND_DATABASE_URL"][0] == "mysql://***@db.example/x"
    assert found["DIAMOND_DATABASE_URL"][1].startswith("DIAMOND_DATABASE_URL_FILE")
    assert found["DIAMOND_NOTIFY_URL"][0] == "https://chat.example/***"
    shown = diamond(home, "config", **given)
    for output in (done.stdout, done.stderr, shown.stdout, shown.stderr):
        assert "secret-word" not in output
    documented = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in found if f"| `{name}` |" not in documented] == []


def test_a_service_with_a_secret_file_ships_its_requests(trained_home, mysql_url, tmp_path):
    (tmp_path / "url").write_text(mysql_url, encoding="utf-8")
    with serving(trained_home, DIAMOND_DATABASE_URL_FILE=str(tmp_path / "url")) as service:
        service.post("/v1/predictions", STONE)
        log = PeeweeRequestLog.from_url(mysql_url)
        until(lambda: log.count(ExchangeFilter(path="/v1/predictions")), "it is in the database")
        log.close()
