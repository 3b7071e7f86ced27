"""The files of a spool for other processes: whether they are live, their rows, and damage."""

from __future__ import annotations

import errno
import os
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from diamond_adapters.flock import locked
from diamond_adapters.private_files import create_folder
from diamond_adapters.requests.rows import COLUMNS, Row

SUFFIX: Final = ".db"
LIVE: Final = ".live"
DRAFT: Final = ".draft"
"""The suffix of a ``.live`` file until it is locked."""
_DRAFT_SECONDS: Final = 60.0
PAGE: Final = 2048
DAMAGED: Final = "damaged"
_LOG: Final = ".db-wal"
_INDEX: Final = ".db-shm"
_ROWS: Final = f"SELECT rowid, {', '.join(COLUMNS)} FROM exchanges WHERE rowid > ? ORDER BY rowid"  # noqa: S608  # names of ours
_ROW: Final = f"SELECT {', '.join(COLUMNS)} FROM exchanges WHERE rowid = ?"  # noqa: S608  # names of ours
_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_MINIMUM_ROW: Final = 100
_BATCH_ROWS: Final = 500
_BATCH_BYTES: Final = 4 << 20

NumberedRow = tuple[int, Row]


def files_in(folder: Path) -> list[Path]:
    """Return the files of the spool, oldest first; none if the folder is missing."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  # much faster for a thousand files
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if name.endswith(SUFFIX)]


def begun_at(path: Path) -> float:
    """Return when the file was created, in seconds since 1970: its name begins with the time."""
    try:
        return int(path.stem[:16], 16) / 1e9
    except ValueError:
        return 0.0


def sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and the size of each file of the spool, including the write-ahead logs."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if SUFFIX in entry.name and not entry.name.endswith(_INDEX):
                with suppress(FileNotFoundError):  # gone meanwhile
                    yield entry.name, entry.stat().st_size


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file of the spool read-only; its writer can continue.

    Raises:
        OSError: this process has no permission to read it.
        sqlite3.Error: SQLite can't read it.
    """
    # Do not open() it here: closing it would release the locks of this process's connections.
    if path.exists() and not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        yield connection


def rows_after(connection: sqlite3.Connection, last: int) -> list[NumberedRow]:
    """Return a batch of the rows after the row *last*, with their numbers, or []."""
    rows: list[NumberedRow] = []
    size = 0
    with closing(connection.execute(_ROWS, (last,))) as found:
        for number, *row in found:
            rows.append((number, tuple(row)))
            size += len(row[-1]) + len(row[-2])
            if len(rows) >= _BATCH_ROWS or size >= _BATCH_BYTES:
                break
    return rows


def last_row(connection: sqlite3.Connection) -> int:
    """Return the number of the last row; 0 if there is none."""
    found: Any = connection.execute("SELECT max(rowid) FROM exchanges").fetchone()[0]
    return int(found or 0)


def row_at(connection: sqlite3.Connection, number: int) -> Row | None:
    """Return the row with this number, if there is one."""
    row: Row | None = connection.execute(_ROW, (number,)).fetchone()
    return row


def is_live(path: Path) -> bool:
    """Return whether a process can still write to the file.

    Raises:
        OSError: this process has no permission to check it.
    """
    return _is_locked(path.with_suffix(LIVE))


def is_whole(path: Path) -> bool:
    """Return whether SQLite can read everything that was committed to a file that is not live.

    SQLite silently reads a damaged write-ahead log only up to the damage. This log is never
    restarted, because its writer does not checkpoint it before the end, so a commit after the last
    valid frame shows damage; a transaction that the process did not finish has no commit.
    https://www.sqlite.org/fileformat2.html#the_write_ahead_log
    https://www.sqlite.org/walformat.html#the_wal_index_file_format

    Raises:
        OSError, sqlite3.Error: the file can't be read.
    """
    log = path.with_suffix(_LOG)
    if not log.exists() or not log.stat().st_size:
        return True
    index = -1
    try:
        with reading(path) as connection:
            connection.execute("SELECT * FROM sqlite_master").fetchall()  # creates the index
            (page,) = connection.execute("PRAGMA page_size").fetchone()
            index = os.open(path.with_suffix(_INDEX), os.O_RDONLY)
            (frames,) = struct.unpack("=I", os.pread(index, 4, 16))
            data = log.read_bytes()
    finally:
        if index >= 0:  # after the connection, which would lose its locks
            os.close(index)
    size = _FRAME_HEADER + page
    first = _LOG_HEADER + frames * size
    return not any(
        any(data[start + 4 : start + 8]) for start in range(first, len(data) - size + 1, size)
    )


def has_only_its_log(path: Path) -> bool:
    """Return whether the file is empty but has a log, which SQLite would delete unread."""
    log = path.with_suffix(_LOG)
    return not path.stat().st_size and log.exists() and log.stat().st_size > 0


def is_empty(path: Path) -> bool:
    """Return whether a process died before it created the table of its file.

    Raises:
        OSError: this process has no permission to read it.
    """
    if path.stat().st_size > PAGE:
        return False
    try:
        with reading(path) as connection:
            return not connection.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.Error:
        return False


def readable_rows(path: Path, last: int) -> Iterator[NumberedRow]:
    """Yield the rows of a damaged file after the row *last* that SQLite can still read."""
    maximum = sum(size for name, size in sizes(path.parent) if name.startswith(path.stem))
    with suppress(OSError, sqlite3.Error), reading(path) as connection:
        for number in range(last + 1, last + 2 + maximum // _MINIMUM_ROW):
            with suppress(sqlite3.Error):
                row = row_at(connection, number)
                if row is not None:
                    yield number, row


def set_aside(path: Path) -> None:
    """Move a damaged file, with its other files, out of the spool.

    Raises:
        OSError: it can't be moved.
    """
    folder = path.parent / DAMAGED
    create_folder(folder)
    # The file itself comes last: as long as it exists, its other files are not swept.
    for each in sorted(path.parent.glob(f"{path.stem}.*"), reverse=True):
        each.rename(folder / each.name)


def unlink(path: Path) -> None:
    """Remove a file of the spool, with its other files."""
    for suffix in (LIVE, SUFFIX, _LOG, _INDEX):
        path.with_suffix(suffix).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the files of processes that died while they created or removed a spool file."""
    for suffix, seconds in ((LIVE, 0.0), (DRAFT, _DRAFT_SECONDS)):
        for path in folder.glob(f"*{suffix}"):
            with suppress(OSError):
                is_old = time.time() - path.stat().st_mtime > seconds
                if is_old and not path.with_suffix(SUFFIX).exists() and not _is_locked(path):
                    path.unlink(missing_ok=True)
    for suffix in (_LOG, _INDEX):
        for path in folder.glob(f"*{suffix}"):
            if not path.with_suffix(SUFFIX).exists():
                if suffix == _LOG and path.stat().st_size:  # it may not have been read
                    create_folder(folder / DAMAGED)
                    path.rename(folder / DAMAGED / path.name)
                else:
                    path.unlink(missing_ok=True)


def _is_locked(path: Path) -> bool:
    try:
        with locked(path, seconds=0.0, create=False) as file:
            return file is None
    except FileNotFoundError:
        return False
