"""Dead letters: exchanges that the database refuses while it accepts others, with the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from diamond_adapters.private_files import create_file
from diamond_adapters.requests.rows import COLUMNS, Row, exchange_of
from diamond_core import Exchange, Unavailable

FILE: Final = "dead-letters.sqlite"
_COLUMNS: Final = ("reason", "set_aside_at", *COLUMNS)
_CREATE: Final = f"CREATE TABLE IF NOT EXISTS letters ({', '.join(_COLUMNS)}, PRIMARY KEY (id))"
_INSERT: Final = f"INSERT OR IGNORE INTO letters VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  # names of ours


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An exchange that the database refuses, why, and when it was set aside (ISO 8601, UTC).

    The exchange is None if it was refused because its values are damaged.
    """

    id: str
    exchange: Exchange | None
    reason: str
    set_aside_at: str

    @property
    def occurred_at(self) -> datetime:
        """When the exchange occurred; if that is unknown, when it was set aside."""
        if self.exchange is None:
            return datetime.fromisoformat(self.set_aside_at)
        return self.exchange.occurred_at


class DeadLetters:
    """The dead letters, in a SQLite file in *folder*; processes can share it.

    Every method raises ``Unavailable`` if the file can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(self, row: Row, reason: str) -> None:
        """Store a row with the reason; adding it again has no effect."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._open() as database:
            database.execute(_CREATE)
            database.execute(_INSERT, (reason, at, *row))

    def ids(self) -> Sequence[str]:
        """Return the ids, oldest first."""
        return [str(id) for (id,) in self._select("SELECT id FROM letters ORDER BY id")]

    def rows(self) -> Sequence[Row]:
        """Return the rows, oldest first."""
        return self._select(f"SELECT {', '.join(COLUMNS)} FROM letters ORDER BY id")  # noqa: S608  # names of ours

    def letters(self) -> Sequence[DeadLetter]:
        """Return all dead letters, oldest first."""
        found = self._select(f"SELECT {', '.join(_COLUMNS)} FROM letters ORDER BY id")  # noqa: S608  # names of ours
        return [
            DeadLetter(str(row[0]), _exchange_of(row), str(reason), str(at))
            for reason, at, *row in found
        ]

    def remove(self, ids: Sequence[str]) -> int:
        """Remove the dead letters with these ids; return their number."""
        if not self._path.exists():
            return 0
        with self._open() as database:
            before = database.total_changes
            database.executemany("DELETE FROM letters WHERE id = ?", [(id,) for id in ids])
            return database.total_changes - before

    def older(self, before: datetime) -> list[str]:
        """Return the ids of the exchanges that occurred *before*."""
        return [letter.id for letter in self.letters() if letter.occurred_at < before]

    def _select(self, query: str) -> list[Any]:
        if not self._path.exists():
            return []
        with self._open() as database:
            return database.execute(query).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            create_file(self._path)
            with closing(sqlite3.connect(self._path)) as database, database:
                yield database
        except (OSError, sqlite3.Error) as ex:
            raise Unavailable(f"the dead letters in {self._path} can't be used ({ex})") from ex


def _exchange_of(row: Row) -> Exchange | None:
    try:
        return exchange_of(row)
    except ValueError:
        return None
