"""The configuration: the environment and a ``.env`` file, read once into a frozen value."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from dotenv import dotenv_values

from diamond_core.errors import InvalidSetting

HOME: Final = "DIAMOND_HOME"
DATABASE_URL: Final = "DIAMOND_DATABASE_URL"
API_KEYS: Final = "DIAMOND_API_KEYS"
_KEY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The API keys by name, hashed: the secrets themselves are forgotten once read."""

    digests: Mapping[str, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.digests)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name:secret`` pairs, separated by commas.

        Raises:
            InvalidSetting: a pair can't be used; no secret is repeated in the message.
        """
        digests: dict[str, bytes] = {}
        for number, pair in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
            name, colon, secret = pair.partition(":")
            if not colon or _KEY_NAME.fullmatch(name) is None:
                raise InvalidSetting(API_KEYS, f"pair {number} is not name:secret")
            if len(secret) < 8:
                raise InvalidSetting(API_KEYS, f"the secret of {name!r} is shorter than 8 letters")
            if name in digests:
                raise InvalidSetting(API_KEYS, f"the name {name!r} stands twice")
            digests[name] = _digest(secret)
        return cls(digests)

    def name_of(self, secret: str) -> str | None:
        """Return the name of the key with this *secret*, or None; takes the same time for all."""
        digest, found = _digest(secret), None
        for name, known in self.digests.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings.

    Attributes:
        home: the folder of models, the request log's SQLite file and reports.
        database_url: where the record of requests goes.
        api_keys: who may use the service; empty: anyone may price, nobody administers.
    """

    home: Path
    database_url: str = field(repr=False)  # may hold a password
    api_keys: ApiKeys = field(repr=False, default_factory=ApiKeys)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Self:
        """Read the environment, and for what it lacks the file ``.env`` of the present folder.

        Raises:
            InvalidSetting: a value can't be used.
        """
        present = os.environ if environ is None else environ
        file = Path(".env") if dotenv is None else dotenv
        values = {name: value for name, value in dotenv_values(file).items() if value is not None}
        values.update(present)
        home = Path(values.get(HOME) or "diamond-home").expanduser()
        if home.exists() and not home.is_dir():
            raise InvalidSetting(HOME, f"{home} is not a folder")
        home = home.absolute()
        return cls(
            home=home,
            database_url=values.get(DATABASE_URL) or f"sqlite:///{home / 'requests.db'}",
            api_keys=ApiKeys.parse(values.get(API_KEYS, "")),
        )
