"""The request log in a database, through Peewee."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import peewee
from peewee import SQL, fn

from diamond_adapters.requests.conditions import ranges, where
from diamond_adapters.requests.peewee_log import PeeweeLog
from diamond_adapters.requests.rows import (
    BODY_COLUMNS,
    COLUMNS,
    MARKS,
    PART_COLUMNS,
    PARTS,
    REQUESTS,
    Row,
    from_row,
    split,
    to_row,
    to_time,
)
from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth

_IDS_AT_ONCE: Final = 500
_MANY: Final = 10_000
_INSERT_FILE: Final = (
    f"INSERT INTO requests ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)} FROM spool.exchanges"  # noqa: S608  # names of ours
    " WHERE rowid > ? AND rowid <= ? ON CONFLICT DO NOTHING"
)

# one piece of SQL: Peewee takes a millisecond to write a query of all columns
_WHOLE: Final = SQL(", ".join(COLUMNS))
_WITHOUT_BODIES: Final = SQL(", ".join("''" if name in BODY_COLUMNS else name for name in COLUMNS))


class PeeweeRequestLog(PeeweeLog):
    """A ``Destination`` in a database."""

    def __init__(self, database: peewee.Database, reader: peewee.Database | None = None) -> None:
        super().__init__(database, reader)
        self._probed: tuple[ExchangeFilter | None, Collection[str]] = (None, ())

    def start(self) -> None:
        """Do nothing: this log has no background work."""

    def append(self, exchange: Exchange) -> None:
        self.append_all([exchange])

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        if exchanges:
            self.deliver("", 0, [to_row(exchange) for exchange in exchanges])

    def deliver(self, file: str, last: int, rows: Sequence[Row]) -> None:
        self._session.run(lambda: self._insert(file, last, rows))

    def deliver_file(self, path: Path, file: str, last: int) -> int | None:
        if self._mysql:
            return None
        return self._session.run(lambda: self._insert_file(path, file, last))

    def marks(self) -> Mapping[str, int]:
        query = MARKS.select(MARKS.file, MARKS.last).tuples()
        return self._read(lambda: dict(query.execute(self._reader)), {})

    def size(self) -> int:
        def read() -> int:
            execute = self._reader.execute_sql
            if self._mysql:
                query = (
                    "SELECT sum(data_length + index_length) FROM information_schema.tables"
                    " WHERE table_schema = database()"
                )
                return int(execute(query).fetchone()[0] or 0)
            pages, free, size = (
                execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int((pages - free) * size)

        return self._read(read, 0)

    def forget_marks(self, files: Collection[str]) -> None:
        names = list(files)

        def delete() -> None:
            for start in range(0, len(names), _IDS_AT_ONCE):
                some = names[start : start + _IDS_AT_ONCE]
                MARKS.delete().where(MARKS.file.in_(some)).execute(self._database)

        self._session.run(delete)

    def find(
        self,
        filter: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        query = REQUESTS.select(_WHOLE if bodies else _WITHOUT_BODIES)
        if before is not None:
            query = query.where(REQUESTS.id < before)
        newest = query.order_by(REQUESTS.id.desc()).limit(limit).tuples()

        def read() -> list[Exchange]:
            query = where(newest, filter, mysql=self._mysql, common=self._common(filter, before))
            rows = self._reader.execute(query).fetchall()  # Peewee's own rows take twice as long
            parts = self._parts(rows[-1][0], rows[0][0]) if rows and bodies else {}
            return [from_row(row, parts.get(row[0])) for row in rows]

        return self._read(read, [])

    def count(self, filter: ExchangeFilter) -> int:
        query = where(REQUESTS.select(fn.COUNT(SQL("*"))), filter, mysql=self._mysql, paged=False)
        return self._read(lambda: int(query.scalar(self._reader)), 0)

    def prune(self, before: datetime, *, limit: int) -> int:
        old = REQUESTS.select(REQUESTS.id).where(REQUESTS.occurred_at < to_time(before))
        old = old.order_by(REQUESTS.occurred_at).limit(limit).tuples()

        def delete() -> int:
            ids = [id for (id,) in old.execute(self._database)]
            if ids:
                with self._database.atomic():
                    for table in (PARTS, REQUESTS):
                        table.delete().where(table.id.in_(ids)).execute(self._database)
            return len(ids)

        return self._session.run(delete)

    def health(self) -> RequestLogHealth:
        return RequestLogHealth()

    def _insert(self, file: str, last: int, rows: Sequence[Row]) -> None:
        # A row has two bodies, whose size can double when quotes are escaped, and also headers and
        # a query.
        maximum = self._session.packet // 8
        whole, parts = [], []
        for row in rows:
            first, rest = split(row, maximum)
            whole.append(first)
            parts += rest
        with self._database.atomic():
            if parts:  # a stored row can be split elsewhere, if the packet size was different
                ids = REQUESTS.select(REQUESTS.id).where(REQUESTS.id.in_([row[0] for row in whole]))
                kept = {id for (id,) in ids.tuples().execute(self._database)}
                parts = [part for part in parts if part[0] not in kept]
            if whole:
                self._session.insert("requests", COLUMNS, whole)
            if parts:
                self._session.insert("request_parts", PART_COLUMNS, parts)
            if file:
                MARKS.replace(file=file, last=last).execute(self._database)

    def _insert_file(self, path: Path, file: str, last: int) -> int:
        execute = self._database.execute_sql
        execute("ATTACH ? AS spool", (f"{path.absolute().as_uri()}?mode=ro",))
        try:
            with self._database.atomic():
                (end,) = execute("SELECT max(rowid) FROM spool.exchanges").fetchone()
                if end is None or end <= last:
                    return last
                execute(_INSERT_FILE, (last, end))
                MARKS.replace(file=file, last=end).execute(self._database)
                return int(end)
        finally:
            execute("DETACH spool")

    def _common(self, filter: ExchangeFilter, before: str | None) -> Collection[str]:
        """Return the ranges of a filter that many exchanges match, found for its first page."""
        probed, common = self._probed
        if before is None or probed != filter:
            common = [name for name, each in ranges(filter).items() if self._is_common(each)]
            self._probed = filter, common
        return common

    def _is_common(self, filter: ExchangeFilter) -> bool:
        """Return whether many exchanges match; MySQL estimates that itself."""
        if self._mysql:
            return False
        some = where(REQUESTS.select(SQL("1")), filter, mysql=False).limit(_MANY)
        return int(some.count(self._reader)) == _MANY

    def _parts(self, first: str, last: str) -> dict[str, dict[str, str]]:
        """Return the rest of each split body, by id and name of the body.

        These are the bodies of the exchanges with ids from *first* to *last*.
        """
        parts: dict[str, dict[str, str]] = {}
        query = PARTS.select().where(PARTS.id.between(first, last)).order_by(PARTS.place)
        for id, body, _, text in query.tuples().execute(self._reader):
            bodies = parts.setdefault(id, {})
            bodies[body] = bodies.get(body, "") + text
        return parts
