"""The request log in a database, through Peewee."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, Self

import peewee
from peewee import fn

from diamond_adapters.database import open_database
from diamond_adapters.requests.conditions import where
from diamond_adapters.requests.migrations import is_mysql
from diamond_adapters.requests.rows import (
    BODY_COLUMNS,
    COLUMNS,
    PART_COLUMNS,
    from_row,
    tables_of,
    to_row,
    to_time,
)
from diamond_adapters.requests.session import Session
from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth

_IDS_AT_ONCE: Final = 500


class PeeweeRequestLog:
    """A ``RequestLog`` in *database*, whose tables are made or upgraded on first use."""

    def __init__(self, database: peewee.Database) -> None:
        self._session = Session(database)
        self._database = database
        self._tables = tables_of(database)
        self._mysql = is_mysql(database)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the log in the database at *url*: see ``open_database``.

        Raises:
            InvalidUrl: it names no database that can be used.
        """
        return cls(open_database(url))

    def start(self) -> None:
        """Do nothing: there is no work beside the callers."""

    def close(self) -> None:
        with suppress(peewee.PeeweeException):
            self._database.close()

    def append(self, exchange: Exchange) -> None:
        self.append_all([exchange])

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        if exchanges:
            self._session.run(lambda: self._insert(exchanges))

    def find(
        self,
        filter: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        table = self._tables.requests
        names = COLUMNS if bodies else [name for name in COLUMNS if name not in BODY_COLUMNS]
        query = table.select(*(getattr(table, name) for name in names))
        query = where(query, table, filter, mysql=self._mysql)
        if before is not None:
            query = query.where(table.id < before)
        query = query.order_by(table.id.desc()).limit(limit)

        def read() -> list[Exchange]:
            rows = list(query.dicts())
            parts = self._parts([row["id"] for row in rows]) if bodies else {}
            return [from_row(row, parts.get(row["id"], {})) for row in rows]

        return self._session.run(read)

    def count(self, filter: ExchangeFilter) -> int:
        table = self._tables.requests
        query = where(table.select(fn.COUNT(table.id)), table, filter, mysql=self._mysql)
        return self._session.run(lambda: int(query.scalar()))

    def prune(self, before: datetime, *, limit: int) -> int:
        table, parts = self._tables.requests, self._tables.parts
        oldest = table.select(table.id).where(table.occurred_at < to_time(before))
        oldest = oldest.order_by(table.occurred_at).limit(limit)

        def delete() -> int:
            ids = [id for (id,) in oldest.tuples()]
            if ids:
                with self._database.atomic():
                    parts.delete().where(parts.id.in_(ids)).execute()
                    table.delete().where(table.id.in_(ids)).execute()
            return len(ids)

        return self._session.run(delete)

    def health(self) -> RequestLogHealth:
        return RequestLogHealth()

    def _insert(self, exchanges: Sequence[Exchange]) -> None:
        # A row has two bodies, and each may grow to the double where quotes are escaped.
        most = self._session.packet // 5
        rows, parts = [], []
        for exchange in exchanges:
            row, rest = to_row(exchange, most)
            rows.append(row)
            parts += rest
        with self._database.atomic():
            self._session.insert("requests", COLUMNS, rows)
            if parts:
                self._session.insert("request_parts", PART_COLUMNS, parts)

    def _parts(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the rest of each body that has one, by id and body."""
        table = self._tables.parts
        parts: dict[str, dict[str, str]] = {}
        for start in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[start : start + _IDS_AT_ONCE]
            query = table.select().where(table.id.in_(some)).order_by(table.place)
            for row in query.dicts():
                bodies = parts.setdefault(row["id"], {})
                bodies[row["body"]] = bodies.get(row["body"], "") + row["text"]
        return parts
