"""The record of exchanges in a database, through Peewee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import peewee

from diamond_adapters.request_log.conditions import where
from diamond_adapters.request_log.migrations import is_mysql
from diamond_adapters.request_log.rows import (
    BODY_COLUMNS,
    COLUMNS,
    PART_COLUMNS,
    from_row,
    tables_of,
    to_row,
)
from diamond_adapters.request_log.session import Session
from diamond_core.exchange import Exchange, ExchangeFilter

_SERIALS_AT_ONCE: Final = 500


class PeeweeRequestLog:
    """A ``RequestLog`` in *database*, whose tables are made or upgraded on first use."""

    def __init__(self, database: peewee.Database) -> None:
        self._session = Session(database)
        self._database = database
        self._tables = tables_of(database)

    def append(self, exchange: Exchange) -> None:
        self.append_all([exchange])

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        if exchanges:
            self._session.run(lambda: self._insert(exchanges))

    def latest(self, n: int) -> Sequence[Exchange]:
        return self.find(ExchangeFilter(), limit=n)

    def find(
        self,
        wanted: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        table = self._tables.requests
        names = COLUMNS if bodies else [name for name in COLUMNS if name not in BODY_COLUMNS]
        query = table.select(*(getattr(table, name) for name in names))
        query = where(query, table, wanted, mysql=is_mysql(self._database))
        if before is not None:
            query = query.where(table.serial < before)
        query = query.order_by(table.serial.desc()).limit(limit)

        def read() -> list[Exchange]:
            rows = list(query.dicts())
            parts = self._parts([row["serial"] for row in rows]) if bodies else {}
            return [from_row(row, parts.get(row["serial"], {})) for row in rows]

        return self._session.run(read)

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

    def _parts(self, serials: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the rest of each body that has one, by serial and body."""
        table = self._tables.parts
        parts: dict[str, dict[str, str]] = {}
        for start in range(0, len(serials), _SERIALS_AT_ONCE):
            some = serials[start : start + _SERIALS_AT_ONCE]
            query = table.select().where(table.serial.in_(some)).order_by(table.place)
            for row in query.dicts():
                bodies = parts.setdefault(row["serial"], {})
                bodies[row["body"]] = bodies.get(row["body"], "") + row["text"]
        return parts
