from pathlib import Path

import pytest

from diamond_app.settings import ApiKeys, Settings
from diamond_core import InvalidSetting

NO_FILE = Path("/nowhere/.env")


def test_has_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.load({})
    assert settings.home == tmp_path / "diamond-home"
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
        Settings(home=Path(), database_url="mysql://u:secret@h/d", api_keys=keys)
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
