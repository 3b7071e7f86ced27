"""The whole record in a database: counted, summed up and pruned, through Peewee."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import peewee
from peewee import fn

from diamond_adapters.request_log.conditions import where
from diamond_adapters.request_log.migrations import is_mysql
from diamond_adapters.request_log.rows import tables_of, to_time
from diamond_adapters.request_log.session import Session
from diamond_core.exchange import ExchangeFilter
from diamond_core.traffic import OTHER, ROUTES, Traffic

_PERCENTS: Final = (50, 95, 99)


class PeeweeRequestArchive:
    """A ``RequestArchive`` over the tables of a ``PeeweeRequestLog``."""

    def __init__(self, database: peewee.Database) -> None:
        self._session = Session(database)
        self._database = database
        self._tables = tables_of(database)
        self._mysql = is_mysql(database)

    def count(self, wanted: ExchangeFilter) -> int:
        table = self._tables.requests
        query = where(table.select(fn.COUNT(table.serial)), table, wanted, mysql=self._mysql)
        return self._session.run(lambda: int(query.scalar()))

    def prune(self, before: datetime, *, most: int) -> int:
        table, parts = self._tables.requests, self._tables.parts
        oldest = table.select(table.serial).where(table.occurred_at < to_time(before))
        oldest = oldest.order_by(table.occurred_at).limit(most)

        def delete() -> int:
            serials = [serial for (serial,) in oldest.tuples()]
            if serials:
                with self._database.atomic():
                    parts.delete().where(parts.serial.in_(serials)).execute()
                    table.delete().where(table.serial.in_(serials)).execute()
            return len(serials)

        return self._session.run(delete)

    def traffic(self, wanted: ExchangeFilter) -> Sequence[Traffic]:
        query = self._traffic(wanted)
        rows = self._session.run(lambda: list(query.tuples()))
        return [
            Traffic(
                day=date.fromisoformat(day),
                route=route,
                requests=int(requests),
                client_errors=int(client_errors),
                server_errors=int(server_errors),
                p50_ms=p50,
                p95_ms=p95,
                p99_ms=p99,
            )
            for day, route, requests, client_errors, server_errors, p50, p95, p99 in rows
        ]

    def _traffic(self, wanted: ExchangeFilter) -> Any:
        """Rank the durations within each day and route, and take those of the percentiles."""
        table = self._tables.requests
        day = fn.SUBSTR(table.occurred_at, 1, 10)
        each = table.select(
            day.alias("day"),
            self._route(table.path).alias("route"),
            table.status,
            table.duration_ms,
        )
        each = where(each, table, wanted, mysql=self._mysql)
        group = [each.c.day, each.c.route]
        rank = fn.ROW_NUMBER().over(partition_by=group, order_by=[each.c.duration_ms])
        total = fn.COUNT(each.c.status).over(partition_by=group)
        ranked = peewee.Select(
            [each],
            [*group, each.c.status, each.c.duration_ms, rank.alias("rank_"), total.alias("total")],
        )
        duration, status = ranked.c.duration_ms, ranked.c.status
        return (
            peewee.Select(
                [ranked],
                [
                    ranked.c.day,
                    ranked.c.route,
                    fn.COUNT(status),
                    fn.SUM(peewee.Case(None, [(status.between(400, 499), 1)], 0)),
                    fn.SUM(peewee.Case(None, [(status >= 500, 1)], 0)),
                    *(
                        fn.MIN(
                            peewee.Case(
                                None,
                                [(ranked.c.rank_ * 100 >= ranked.c.total * percent, duration)],
                                None,
                            )
                        )
                        for percent in _PERCENTS
                    ),
                ],
            )
            .group_by(ranked.c.day, ranked.c.route)
            .order_by(ranked.c.day, ranked.c.route)
            .bind(self._database)
        )

    def _route(self, path: Any) -> Any:
        """Return ``route_of`` in SQL."""
        slashes = fn.LENGTH(path) - fn.LENGTH(fn.REPLACE(path, "/", ""))
        # each takes a for a and not for A: LIKE in the tables of MySQL, GLOB in SQLite
        operator, some = ("LIKE", "_%") if self._mysql else ("GLOB", "?*")
        cases = [
            (
                peewee.Expression(path, operator, route.replace("{id}", some))
                & (slashes == route.count("/")),
                route,
            )
            for route in ROUTES
        ]
        return peewee.Case(None, cases, OTHER)
