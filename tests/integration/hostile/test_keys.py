"""Keys that protect nothing stop the start; a ``.env`` of any folder can't let a command run code."""

from __future__ import annotations

import pytest

from diamond_app.settings import ApiKeys, Settings
from diamond_core import InvalidSetting


@pytest.mark.parametrize("text", [",", " , ,", "@{file}", "{file}"])
def test_a_setting_without_a_key_does_not_open_the_service(tmp_path, text):
    file = tmp_path / "keys"
    file.write_text("# admin:commented-out\n\n")
    with pytest.raises(InvalidSetting, match="contains no key"):
        ApiKeys.parse(text.format(file=file))
    assert not ApiKeys.parse(" ")


@pytest.mark.parametrize(
    "secret", ["geheimnüsse", "секретный", " secret-one", "secret\tone", "secret\x7fone"]
)
def test_a_secret_that_no_header_can_carry_is_refused(secret):
    with pytest.raises(InvalidSetting, match="'web' would never match") as caught:
        ApiKeys.parse(f"admin:secret-one,web:{secret}")
    assert secret not in str(caught.value)


def test_only_the_environment_allows_pickle(tmp_path):
    dotenv = tmp_path / ".env"
    assert Settings.load({"DIAMOND_ALLOW_PICKLE": "1"}, dotenv).allow_pickle
    dotenv.write_text("DIAMOND_ALLOW_PICKLE=1\n")
    for environment in ({}, {"DIAMOND_ALLOW_PICKLE": "1"}):
        with pytest.raises(InvalidSetting, match="set it in the environment"):
            Settings.load(environment, dotenv)
