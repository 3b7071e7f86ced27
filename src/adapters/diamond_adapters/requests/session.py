"""Work on the record's database: connected, its tables up to date, its errors in our words."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import peewee

from diamond_adapters.requests.migrations import is_mysql, migrate
from diamond_core.errors import Refused, Unavailable

_REFUSED: Final = (peewee.DataError, peewee.IntegrityError)
_NO_PACKETS: Final = 2**28

_Result = TypeVar("_Result")


class Session:
    """Runs work on *database*, whose tables are made or upgraded on first use.

    Each thread keeps its connection: opening one for every exchange would cost more than the
    insert. A connection that the server has dropped meanwhile is opened again.
    """

    def __init__(self, database: peewee.Database) -> None:
        self.database = database
        self.packet = _NO_PACKETS
        """The bytes that a statement may have."""
        self._ready = False
        self._lock = threading.Lock()

    def run(self, work: Callable[[], _Result]) -> _Result:
        """Return what *work* returns; it may be called twice, so it must be safe to repeat.

        Raises:
            Refused: the database takes these values at no time.
            Unavailable: it failed.
        """
        try:
            is_new = self.database.connect(reuse_if_open=True)
            try:
                return self._work(work)
            except (peewee.OperationalError, peewee.InterfaceError):
                self._close()
                if is_new:
                    raise
            # the server has dropped the connection since its last use, or chose it as the
            # victim of a deadlock
            self.database.connect(reuse_if_open=True)
            return self._work(work)
        except _REFUSED as ex:
            raise Refused(f"the request log's database refused an exchange: {_told(ex)}") from ex
        except (peewee.PeeweeException, OSError) as ex:  # OSError: a certificate can't be read
            self._close()
            self._ready = False  # it may come back empty
            raise Unavailable(f"the request log's database failed: {_told(ex)}") from ex

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert the rows that are not there yet; to be called in ``run``.

        By the driver, which is several times faster than to build a query of all the values.
        """
        # INSERT IGNORE would cut a value that is too long, and say nothing
        end = (
            "ON DUPLICATE KEY UPDATE id = id"
            if is_mysql(self.database)
            else "ON CONFLICT DO NOTHING"
        )
        marks = ", ".join([self.database.param] * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {end}"  # noqa: S608  # names of ours
        with peewee.__exception_wrapper__, contextlib.closing(self.database.cursor()) as cursor:
            cursor.executemany(statement, rows)

    def _work(self, work: Callable[[], _Result]) -> _Result:
        if not self._ready:
            self._get_ready()
        return work()

    def _get_ready(self) -> None:
        with self._lock:
            if self._ready:
                return
            migrate(self.database)
            if is_mysql(self.database):
                found = self.database.execute_sql("SELECT @@max_allowed_packet").fetchone()
                self.packet = int(found[0])
            self._ready = True

    def _close(self) -> None:
        with contextlib.suppress(peewee.PeeweeException):  # it is broken already
            self.database.close()


def _told(ex: Exception) -> str:
    """Return the driver's own sentence: MySQL's errors are pairs of a number and a text."""
    return str(ex.args[-1] if ex.args else ex)
