"""The command ``diamond config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diamond_app.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from diamond_app.settings import Settings

_DEFAULT = "default"


@click.command("config")
@json_option
def command(as_json: bool) -> None:
    """Show each setting, its value, and where it comes from. Secrets are masked.

    \b
    Examples:
      diamond config
      DIAMOND_HOME=/var/lib/diamond diamond config --json
    """
    from diamond_app.settings import DEFAULTS, Settings, given_settings

    settings = Settings.load()  # a wrong one is an error here too
    given = given_settings()
    found = []
    for name, default in DEFAULTS.items():
        text, where = given.get(name, ("", ""))
        value = _shown(name, text or default, settings)
        found.append({"setting": name, "value": value, "from": where if text else _DEFAULT})
    if as_json:
        print_json(found)
        return
    rows = [[each["setting"], each["value"], each["from"]] for each in found]
    print_table("", ["setting", "value", "from"], rows)


def _shown(name: str, text: str, settings: Settings) -> str:
    """Return the value of a setting for people, without its secrets."""
    from diamond_adapters.sources.file_source import without_secrets
    from diamond_app import settings as names

    match name:
        case names.HOME:
            return str(settings.home)
        case names.API_KEYS:
            return ", ".join(f"{key}:***" for key in settings.api_keys.digests)
        case names.MODELS_URL:
            return without_secrets(settings.models_url)
        case names.DATA_URL:
            return without_secrets(settings.data_url)
        case names.DATABASE_URL:
            return without_secrets(settings.database_url)
        case names.NOTIFY_URL:
            return _host_of(text)
    return text


def _host_of(url: str) -> str:
    """Return a URL whose path can be a secret, as those of chats are."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}/***" if url else ""
