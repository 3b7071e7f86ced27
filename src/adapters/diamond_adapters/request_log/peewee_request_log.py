"""The record of exchanges in a database table, through Peewee."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import peewee

from diamond_core.errors import Unavailable
from diamond_core.exchange import Exchange


class PeeweeRequestLog:
    """A ``RequestLog`` in one table of *database*, which is made on first use."""

    def __init__(self, database: peewee.Database) -> None:
        self._database = database
        self._row = _row_class(database)
        self._ready = False

    def append(self, exchange: Exchange) -> None:
        with self._connection():
            self._row.insert(**_to_row(exchange)).on_conflict_ignore().execute()

    def latest(self, n: int) -> Sequence[Exchange]:
        with self._connection():
            rows = self._row.select().order_by(self._row.serial.desc()).limit(n).dicts()
            return [_from_row(row) for row in rows]

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
