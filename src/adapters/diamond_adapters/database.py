"""A database from its URL: SQLite, or MySQL and MariaDB."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import peewee

from diamond_adapters.private_files import create_file, create_folder
from diamond_core import InvalidUrl

_FORMS: Final = (
    "use sqlite:///relative, sqlite:////absolute or mysql://user:password@host:3306/name"
)
_BUSY_SECONDS: Final = 10.0
"""How long a writer to SQLite waits for another one."""
_STRICT: Final = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"


def open_database(url: str, *, readonly: bool = False, durable: bool = False) -> peewee.Database:
    """Return the database at *url* without opening it. A *readonly* SQLite file is never written.

    What is written to a *durable* SQLite file survives a power cut, not only a killed process.

    Names, passwords and paths are URL-encoded. The query of a MySQL URL can have the options
    ``ssl_ca``, ``ssl_cert``, ``ssl_key`` (paths), ``ssl_verify_cert``, ``ssl_verify_identity``,
    ``ssl_disabled`` (true or false), and ``connect_timeout``, ``read_timeout``,
    ``write_timeout`` (seconds). TLS is used if the server offers it. Its certificate is
    checked if ``ssl_ca`` is given, and its host name too with ``ssl_verify_identity``.

    Raises:
        InvalidUrl: the URL can't be used; the message contains no password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError:  # its text can contain the password
        raise InvalidUrl(f"not a valid URL; {_FORMS}") from None
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        if parts.query or parts.fragment:  # they would be cut from the file's name
            raise InvalidUrl("in the path of a SQLite file, write ? as %3F and # as %23")
        return SqliteFile(Path(unquote(parts.path[1:])), readonly=readonly, durable=durable)
    if parts.scheme == "mysql" and parts.hostname and len(parts.path) > 1:
        return _mysql(parts, port)
    raise InvalidUrl(_FORMS)


def is_mysql(database: peewee.Database) -> bool:
    """Return whether it is MySQL or MariaDB, not SQLite."""
    return isinstance(database, peewee.MySQLDatabase)


class ClosingConnection(sqlite3.Connection):
    """A connection that is closed when it is forgotten, or its thread ends; Python 3.13 warns."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # the connection was never opened
            self.close()


class SqliteFile(peewee.SqliteDatabase):  # type: ignore[misc]  # peewee has no types
    """SQLite in the file at *path*; it and its folder are created if it is not *readonly*."""

    def __init__(self, path: Path, *, readonly: bool, durable: bool) -> None:
        self.path = path.absolute()
        self._readonly = readonly
        pragmas: dict[str, object] = {"busy_timeout": int(_BUSY_SECONDS * 1000)}
        if not readonly:
            pragmas |= {"journal_mode": "wal", "synchronous": "full" if durable else "normal"}
        super().__init__(
            f"{self.path.as_uri()}?mode={'ro' if readonly else 'rwc'}",
            uri=True,
            timeout=_BUSY_SECONDS,
            factory=ClosingConnection,
            check_same_thread=False,  # each thread has its own, but another can close it
            pragmas=pragmas,
        )

    def _connect(self) -> Any:
        try:
            if not self._readonly:
                create_folder(self.path.parent)
                create_file(self.path)
        except OSError as ex:
            raise peewee.OperationalError(f"{self.path}: {ex.strerror}") from ex
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return super()._connect()
            except sqlite3.OperationalError as ex:
                # SQLite itself does not wait when two connections switch a new file to WAL
                if ex.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def accept_damaged_texts(self) -> None:
        """Read texts that are not UTF-8 too, in this thread: it takes twice as long."""
        self.connection().text_factory = _to_text


_to_text: Final = partial(str, encoding="utf-8", errors="replace")


def _mysql(parts: SplitResult, port: int) -> peewee.Database:
    return peewee.MySQLDatabase(
        unquote(parts.path[1:]),
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        # as bytes, because PyMySQL would encode a text as Latin-1
        password=unquote(parts.password or "").encode(),
        charset="utf8mb4",
        # a value that does not fit is an error; some servers are set up to truncate it
        sql_mode=_STRICT,
        **{"connect_timeout": 5, "read_timeout": 30, "write_timeout": 30, **_options(parts)},
    )


def _options(parts: SplitResult) -> dict[str, object]:
    """Return the options in the URL's query."""
    options: dict[str, object] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise InvalidUrl(f"{name!r} is not an option; the options are {', '.join(_OPTIONS)}")
        try:
            options[name] = _OPTIONS[name](text)
        except ValueError as ex:
            raise InvalidUrl(f"{name} {ex}") from ex
    if "ssl_ca" in options:  # by default PyMySQL accepts any certificate
        options.setdefault("ssl_verify_cert", True)
    return options


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 3600):
        raise ValueError("must be a whole number of seconds from 1 to 3600")
    return int(text)


def _truth(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError("must be true or false")
    return known[text.lower()]


def _file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError(f"must be a file; {text!r} was not found")
    return text


_OPTIONS: Final[dict[str, Callable[[str], object]]] = {
    "ssl_ca": _file,
    "ssl_cert": _file,
    "ssl_key": _file,
    "ssl_verify_cert": _truth,
    "ssl_verify_identity": _truth,
    "ssl_disabled": _truth,
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "write_timeout": _seconds,
}
