"""The record of exchanges in a database table, through Peewee."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import peewee

from diamond_core.errors import Unavailable
from diamond_core.exchange import Exchange, ExchangeFilter


class PeeweeRequestLog:
    """A ``RequestLog`` in one table of *database*, which is made on first use."""

    def __init__(self, database: peewee.Database) -> None:
        self._database = database
        self._row = _row_class(database)
        self._ready = False

    def append(self, exchange: Exchange) -> None:
        self.append_all([exchange])

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        if not exchanges:
            return
        with self._connection(), self._database.atomic():
            for exchange in exchanges:
                self._row.insert(**_to_row(exchange)).on_conflict_ignore().execute()

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
        row = self._row
        query = row.select().where(*_conditions(row, wanted))
        if before is not None:
            query = query.where(row.serial < before)
        with self._connection():
            found = [
                _from_row(each) for each in query.order_by(row.serial.desc()).limit(limit).dicts()
            ]
        if bodies:
            return found
        return [replace(exchange, request_body=b"", response_body=b"") for exchange in found]

    @contextmanager
    def _connection(self) -> Iterator[None]:
        try:
            # Each thread keeps its connection: opening one for every exchange would cost more
            # than the insert.
            self._database.connect(reuse_if_open=True)
            if not self._ready:
                self._database.create_tables([self._row])
                self._ready = True
            yield
        except peewee.PeeweeException as ex:
            self._database.close()
            raise Unavailable(f"the request log's database failed: {ex}") from ex


def _row_class(database: peewee.Database) -> Any:
    """Declare the row for this database; re-binding a shared class is not thread-safe."""
    bound_to = database

    class ExchangeRow(peewee.Model):
        serial = peewee.CharField(32, primary_key=True)
        id = peewee.CharField(64, index=True)
        # ISO text in UTC: MySQL's DATETIME would drop the microseconds and the zone.
        occurred_at = peewee.CharField(32, index=True)
        method = peewee.CharField(16)
        path = peewee.TextField()
        query = peewee.TextField()
        headers = peewee.TextField()
        client = peewee.CharField(64)
        key_name = peewee.CharField(64)
        status = peewee.SmallIntegerField()
        duration_ms = peewee.DoubleField()
        request_body = peewee.BlobField()
        response_body = peewee.BlobField()
        model_id = peewee.CharField(80)

        class Meta:
            table_name = "exchanges"
            database = bound_to

    return ExchangeRow


def _conditions(row: Any, wanted: ExchangeFilter) -> list[Any]:
    """Return what SQL must find true of a row that is wanted."""
    conditions = [row.serial.is_null(False)]
    if wanted.id:
        conditions.append((row.id == wanted.id) | (row.serial == wanted.id))
    if wanted.since is not None:
        conditions.append(row.occurred_at >= wanted.since.isoformat(timespec="microseconds"))
    if wanted.until is not None:
        conditions.append(row.occurred_at < wanted.until.isoformat(timespec="microseconds"))
    if wanted.status:
        conditions.append(row.status.between(wanted.statuses[0], wanted.statuses[-1]))
    if wanted.path:
        # no LIKE: it has wildcards, and SQLite's takes a for A
        conditions.append(row.path.between(wanted.path, wanted.path + "\U0010ffff"))
    if wanted.model_id:
        conditions.append(row.model_id == wanted.model_id)
    if wanted.slower_than_ms is not None:
        conditions.append(row.duration_ms > wanted.slower_than_ms)
    return conditions


def _to_row(exchange: Exchange) -> dict[str, Any]:
    return {
        "serial": exchange.serial,
        "id": exchange.id,
        "occurred_at": exchange.occurred_at.isoformat(timespec="microseconds"),
        "method": exchange.method,
        "path": exchange.path,
        "query": exchange.query,
        "headers": json.dumps(dict(exchange.headers)),
        "client": exchange.client,
        "key_name": exchange.key_name,
        "status": exchange.status,
        "duration_ms": exchange.duration_ms,
        "request_body": exchange.request_body,
        "response_body": exchange.response_body,
        "model_id": exchange.model_id,
    }


def _from_row(row: dict[str, Any]) -> Exchange:
    return Exchange(
        **{
            **row,
            "occurred_at": datetime.fromisoformat(row["occurred_at"]),
            "headers": json.loads(row["headers"]),
            "request_body": bytes(row["request_body"]),
            "response_body": bytes(row["response_body"]),
        }
    )
