"""The spool: each exchange, stored in a SQLite file of this process before its response is sent.

<folder>/<id>.db      exchanges in the destination's columns; only one connection writes it
<folder>/<id>.live    locked (flock) by the writing process as long as it can write

Rows are never deleted, so a row's number never changes. For each file, the destination stores the
number of the last row that it has. Other processes read the files through ``spool_files``.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from diamond_adapters.database import ClosingConnection
from diamond_adapters.private_files import create_file, create_folder
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.rows import COLUMNS, Row, to_row
from diamond_adapters.requests.spool_files import DRAFT, LIVE, PAGE, SUFFIX, sizes, unlink
from diamond_core import Exchange, Unavailable, new_exchange_id

_NUMBERS: Final = {"status": "INTEGER", "duration_ms": "REAL"}
_CREATE: Final = "CREATE TABLE exchanges ({})".format(
    ", ".join(f"{name} {_NUMBERS.get(name, 'TEXT')}" for name in COLUMNS)
)
_INSERT: Final = f"INSERT INTO exchanges VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  # names of ours
_COMMIT_BYTES: Final = 2 * PAGE
"""The size of a small exchange in the write-ahead log: the pages that it changes."""
_FILE_BYTES: Final = 16 << 20
_FILE_SECONDS: Final = 600.0
_MEASURE_SECONDS: Final = 1.0


class Spool:
    """The spool files of this process; threads can share it.

    Args:
        folder: the folder with the files of all workers.
        durable: whether an exchange survives a power cut, or only a killed process.
        limit: the maximum size of the files of all workers together, in bytes.
        losses: counts the exchanges that could not be stored.
    """

    def __init__(self, folder: Path, *, durable: bool, limit: int, losses: Losses) -> None:
        self._folder = folder
        self._synchronous = "FULL" if durable else "NORMAL"
        self._limit = limit
        self._losses = losses
        self._lock = threading.Lock()
        self._file: _OpenFile | None = None
        self._others = 0
        self._measured = -_MEASURE_SECONDS
        _reset_after_fork(weakref.ref(self))

    def open(self) -> None:
        """Create a file, so that the shipper knows that this process is alive.

        Raises:
            Unavailable: the file could not be created.
        """
        with self._lock:
            try:
                self._file_for(0)
            except (OSError, sqlite3.Error) as ex:
                raise Unavailable(f"the spool can't be written ({_reason(ex)})") from ex

    def append(self, exchange: Exchange) -> None:
        """Store the exchange in this process's file.

        Raises:
            Unavailable: it was not stored, and is counted as lost.
        """
        row = to_row(exchange)
        size = _COMMIT_BYTES + len(exchange.request_body) + len(exchange.response_body)
        with self._lock:
            try:
                self._insert(row, size)
                return
            except (OSError, sqlite3.Error) as ex:
                reason = _reason(ex)
                self._losses.count()
        raise Unavailable(f"the spool can't be written ({reason})")

    def close(self) -> Path | None:
        """Close the file, if there is one, and return it; an append creates a new one."""
        with self._lock:
            if self._file is None:
                return None
            file = self._detach()
            file.close()
            return file.path

    def _insert(self, row: Row, size: int) -> None:
        file = self._file_for(size)
        try:
            file.connection.execute(_INSERT, row)
        except sqlite3.Error:
            # Either the disk is full, and the shipper frees this file's space once it is closed, or
            # the file is damaged. In both cases a new file can work.
            self._detach().close()
            file = self._file_for(size)
            file.connection.execute(_INSERT, row)
        file.bytes += size

    def _file_for(self, size: int) -> _OpenFile:
        now = time.monotonic()
        self._rotate(size, now)
        if now - self._measured >= _MEASURE_SECONDS or not self._fits(size):
            self._measure(now)
            if not self._fits(size):
                raise OSError(0, "it has reached its limit")
        if self._file is None:
            self._file = _OpenFile.create(self._folder, self._synchronous, now)
        return self._file

    def _rotate(self, size: int, now: float) -> None:
        file = self._file
        if (
            file is not None
            and file.bytes
            and (
                file.bytes + size > min(_FILE_BYTES, self._limit // 8)
                or now - file.begun > _FILE_SECONDS
            )
        ):
            close = self._detach().close
            try:  # the checkpoint on close can be slow, and no request may wait for it
                threading.Thread(target=close, name="close-spool-file").start()
            except RuntimeError:  # this process can't start more threads
                close()

    def _detach(self) -> _OpenFile:
        assert self._file is not None  # noqa: S101  # callers have checked
        file, self._file = self._file, None
        self._measured = -_MEASURE_SECONDS  # its bytes are now among the others'
        return file

    def _fits(self, size: int) -> bool:
        own = 0 if self._file is None else self._file.bytes
        return own + self._others + size <= self._limit

    def _measure(self, now: float) -> None:
        own = "" if self._file is None else self._file.path.stem
        self._others = sum(
            size for name, size in sizes(self._folder) if name.partition(".")[0] != own
        )
        self._measured = now

    def _before_fork(self) -> None:
        # A SQLite connection must not be used after a fork, and a child must not keep the lock.
        self._lock.acquire()
        self._was_open = self._file is not None
        if self._file is not None:
            self._detach().close()

    def _after_fork_in_child(self) -> None:
        self._lock.release()

    def _after_fork_in_parent(self) -> None:
        self._lock.release()
        if self._was_open:
            with suppress(Unavailable):  # the next append raises it
                self.open()


def _reset_after_fork(spool: weakref.ref[Spool]) -> None:
    def call(method: str) -> None:
        present = spool()
        if present is not None:
            getattr(present, method)()

    os.register_at_fork(
        before=lambda: call("_before_fork"),
        after_in_child=lambda: call("_after_fork_in_child"),
        after_in_parent=lambda: call("_after_fork_in_parent"),
    )


@dataclass(slots=True)
class _OpenFile:
    """The file that this process writes to."""

    path: Path
    lock: int
    connection: sqlite3.Connection
    pin: sqlite3.Cursor
    """An open query: it keeps a read lock, so that inserts do not have to take one."""
    begun: float
    bytes: int = 0

    @classmethod
    def create(cls, folder: Path, synchronous: str, now: float) -> _OpenFile:
        create_folder(folder)
        path = folder / f"{new_exchange_id()}{SUFFIX}"
        # Locked before it gets its name, so that it never looks like the file of a dead process.
        draft, live = path.with_suffix(DRAFT), path.with_suffix(LIVE)
        lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            draft.rename(live)
            create_file(path)  # SQLite's other files get its mode
            connection = _connect(path, synchronous)
            pin = connection.execute("SELECT * FROM sqlite_master")
        except (OSError, sqlite3.Error):
            draft.unlink(missing_ok=True)
            unlink(path)
            os.close(lock)
            raise
        return cls(path, lock, connection, pin, now)

    def close(self) -> None:
        with suppress(sqlite3.Error):  # the shipper reads the rest of the write-ahead log
            self.pin.close()
            self.connection.close()
        with suppress(OSError):  # what counts is the lock, which ends here
            self.path.with_suffix(LIVE).unlink(missing_ok=True)
        os.close(self.lock)


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, factory=ClosingConnection
    )
    try:
        # In this order: the file gets its page size and its write-ahead log with the first write,
        # which leaves no other file if the process dies. The checkpoint is done when the file is
        # closed, so that no request waits for it.
        for pragma in (
            f"synchronous = {synchronous}",
            f"page_size = {PAGE}",
            "journal_mode = OFF",
            "journal_mode = WAL",
            "wal_autocheckpoint = 0",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(_CREATE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _reason(ex: Exception) -> str:
    return (ex.strerror if isinstance(ex, OSError) else None) or str(ex)
