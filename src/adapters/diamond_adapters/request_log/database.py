"""A database from its URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import peewee

from diamond_core.errors import InvalidSetting


def open_database(url: str) -> peewee.Database:
    """Return the database of ``sqlite:///path``; nothing is opened yet.

    Raises:
        InvalidSetting: the URL names no database that can be used; passwords are not repeated.
    """
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
        raise InvalidSetting(
            "DIAMOND_DATABASE_URL", "use sqlite:///relative or sqlite:////absolute"
        )
    path = Path(parts.path[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    return peewee.SqliteDatabase(
        str(path),
        pragmas={"journal_mode": "wal", "synchronous": "normal", "busy_timeout": 10_000},
    )
