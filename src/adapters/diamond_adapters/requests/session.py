"""Work on the destination's database: connections, up-to-date tables, and our own errors."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import peewee
import pymysql

from diamond_adapters.database import is_mysql
from diamond_adapters.flock import locked
from diamond_adapters.private_files import create_folder
from diamond_adapters.requests.migrations import migrate
from diamond_core.errors import Refused, Unavailable

_REFUSED: Final = peewee.DataError  # an IntegrityError can be about the table, not the value
_NO_PACKETS: Final = 2**28
_LOCK_SECONDS: Final = 10.0
_AT_ONCE_SECONDS: Final = 1.0
"""In this time it shows that a server has closed a connection; one that hangs would hang again."""
# https://mariadb.com/docs/server/reference/error-codes
_SERVER_ERRORS: Final = frozenset(
    {
        *(1021, 1114),  # no room
        *(1040, 1129, 1203, 1226),  # connections
        *(1044, 1045, 1142, 1143, 1227, 1698),  # rights
        *(1049, 1054, 1136, 1146, 1364),  # databases, tables and columns
        *(1205, 1213, 1969, 3100),  # locks, time limits, hooks
        *(1026, 1030, 1047, 1053, 1180, 1317, 1927, 2003),  # it shuts down, or can't write
        *(1290, 1792, 1836),  # it is read-only
    }
)
# https://www.sqlite.org/rescode.html: locked, read-only, I/O, damaged, full, can't be opened
_SQLITE_ERRORS: Final = frozenset({5, 6, 8, 10, 11, 13, 14, 26})

_Result = TypeVar("_Result")


class ServerFailed(Unavailable):
    """The database can't work now; the rows are not the cause."""


class Session:
    """Runs work on *database*; creates or upgrades its tables on first use, unless *readonly*.

    Each thread keeps its connection: opening one for every exchange would cost more than the
    insert. If the server has closed a connection meanwhile, it is opened again.

    Only one connection at a time writes to a SQLite file; it holds a separate lock file. SQLite
    before 3.51.3 can damage a file that two connections write or checkpoint at the same time.
    https://www.sqlite.org/wal.html#walresetbug
    """

    def __init__(self, database: peewee.Database, *, readonly: bool = False) -> None:
        self.database = database
        self.packet = _NO_PACKETS
        """The maximum bytes of a statement."""
        self._readonly = readonly
        self._is_mysql = is_mysql(database)
        self._ready = False
        self._lock = threading.Lock()

    def run(self, work: Callable[[], _Result]) -> _Result:
        """Return the result of *work*, which can be called twice: it must be safe to repeat.

        Raises:
            Refused: the database never accepts these values.
            ServerFailed: it accepts no values now.
            Unavailable: it failed.
        """
        try:
            with self._alone():
                return self._run(work)
        except _REFUSED as ex:
            raise Refused(f"the request log's database refused an exchange: {_reason(ex)}") from ex
        except (peewee.PeeweeException, OSError) as ex:  # OSError: a certificate can't be read
            self._close()
            self._ready = False  # the database can come back empty
            kind = ServerFailed if _is_of_the_server(ex) else Unavailable
            raise kind(f"the request log's database failed: {_reason(ex)}") from ex

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        skip: bool = True,
    ) -> None:
        """Insert the rows, call it inside ``run``; those that are there are skipped, or an error.

        It uses the driver, which is several times faster than a query built with all the values.
        """
        # INSERT IGNORE would silently truncate a value that is too long
        end = "ON DUPLICATE KEY UPDATE id = id" if self._is_mysql else "ON CONFLICT DO NOTHING"
        end = end if skip else ""
        marks = ", ".join([self.database.param] * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {end}"  # noqa: S608  # names of ours
        with peewee.__exception_wrapper__, contextlib.closing(self.database.cursor()) as cursor:
            if self._is_mysql:  # PyMySQL puts many rows into a statement
                cursor.max_stmt_length = self.packet * 4 // 5
            cursor.executemany(statement, rows)

    def read(self, work: Callable[[], _Result], nothing: _Result, writer: Session) -> _Result:
        """Return the result of *work*, or *nothing* if this session's file does not exist yet.

        *writer*, a session of the same database, creates missing tables. Raises as ``run``.
        """
        if self._readonly:
            path: Path = self.database.path
            if not path.exists() and (path.parent.is_dir() or not path.parent.exists()):
                return nothing
        try:
            return self.run(work)
        except Unavailable as ex:
            if not self._readonly or "no such table" not in str(ex):
                raise
        writer.run(lambda: None)
        return self.run(work)

    def _run(self, work: Callable[[], _Result]) -> _Result:
        is_new = self.database.connect(reuse_if_open=True)
        began = time.monotonic()
        try:
            return self._work(work)
        except (peewee.OperationalError, peewee.InterfaceError) as ex:
            hangs = time.monotonic() - began > _AT_ONCE_SECONDS
            if is_new or hangs or _is_of_the_server(ex):
                raise
            self._close()
        # the server has closed the connection since its last use
        self.database.connect(reuse_if_open=True)
        return self._work(work)

    def _work(self, work: Callable[[], _Result]) -> _Result:
        if not self._ready:
            self._get_ready()
        with peewee.__exception_wrapper__:  # rows are read outside Peewee's own wrapper
            try:
                return work()
            except (sqlite3.OperationalError, peewee.OperationalError) as ex:
                if not self._readonly or "decode to UTF-8" not in str(ex):
                    raise
                self.database.accept_damaged_texts()  # one must not hide the other rows
                return work()

    def _get_ready(self) -> None:
        with self._lock:
            if self._ready:
                return
            if not self._readonly:
                migrate(self.database)
            if self._is_mysql:
                found = self.database.execute_sql("SELECT @@max_allowed_packet").fetchone()
                self.packet = int(found[0])
            self._ready = True

    def _close(self) -> None:
        with contextlib.suppress(peewee.PeeweeException):  # it is broken already
            self.database.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other connections, of any process, from writing to a SQLite file."""
        if self._is_mysql or self._readonly:
            yield
            return
        path = Path(f"{self.database.path}.lock")
        with contextlib.ExitStack() as stack:
            try:
                create_folder(path.parent)
                held = stack.enter_context(locked(path, seconds=_LOCK_SECONDS))
            except OSError as ex:
                reason = f"{path}: {ex.strerror}"
                raise ServerFailed(f"the request log's database failed: {reason}") from ex
            if held is None:
                raise ServerFailed("another process has locked the request log for too long")
            yield


def _reason(ex: Exception) -> str:
    """Return the driver's message of its first error; MySQL's errors have a number before it."""
    first = [*_driver_errors(ex)][-1:] or [ex]
    return str(first[0].args[-1] if first[0].args else first[0])


def _is_of_the_server(ex: Exception) -> bool:
    """Return whether the server, not a row, is the cause of the error."""
    return any(
        each.args[0] in _SERVER_ERRORS
        if isinstance(each, pymysql.MySQLError)
        else getattr(each, "sqlite_errorcode", 0) & 0xFF in _SQLITE_ERRORS
        for each in _driver_errors(ex)
        if each.args
    )


def _driver_errors(ex: BaseException | None) -> Iterator[BaseException]:
    """Yield the driver's errors, the last first: a failed rollback hides the error before it."""
    while ex is not None:
        if isinstance(ex, sqlite3.Error | pymysql.MySQLError):
            yield ex
        ex = ex.__cause__ or ex.__context__
