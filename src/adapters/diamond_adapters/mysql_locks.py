"""Exclusive work among the hosts that share a MySQL or MariaDB database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import peewee

from diamond_adapters.database import open_database
from diamond_core import Unavailable

_WAIT_SECONDS: Final = 10


class MySQLLocks:
    """``ExclusiveWork`` by the server's named locks.

    A lock ends with the connection that holds it. Each hold opens a connection of its own.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def hold(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        database = open_database(self._url)
        # Lock names are shared by the whole server and have at most 64 characters.
        digest = hashlib.sha256(f"{database.database}/{name}".encode()).hexdigest()[:32]
        lock = f"diamond-{digest}"
        try:
            database.connect()
            if not _value(database, "SELECT GET_LOCK(%s, 0)", lock):
                holder = _value(database, "SELECT IS_USED_LOCK(%s)", lock)
                waiting(f"waiting for connection {holder} to the database server")
                while not _value(database, f"SELECT GET_LOCK(%s, {_WAIT_SECONDS})", lock):
                    pass
        except peewee.PeeweeException as ex:
            raise Unavailable(f"the database's lock for {name} is not available: {ex}") from ex
        try:
            yield
        finally:
            database.close()


def _value(database: peewee.Database, query: str, lock: str) -> Any:
    return database.execute_sql(query, (lock,)).fetchone()[0]
