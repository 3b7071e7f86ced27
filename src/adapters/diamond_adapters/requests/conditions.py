"""A filter as SQL conditions, with the same meaning on SQLite and MySQL."""

from __future__ import annotations

from typing import Any

import peewee

from diamond_adapters.requests.rows import REQUESTS, to_time
from diamond_core.requests.exchange_filter import ExchangeFilter


def where(query: Any, filter: ExchangeFilter, *, mysql: bool) -> Any:
    """Return *query*, limited to the rows of ``REQUESTS`` that match *filter*."""
    conditions = _conditions(filter, mysql=mysql)
    return query.where(*conditions) if conditions else query


def _conditions(filter: ExchangeFilter, *, mysql: bool) -> list[Any]:
    table = REQUESTS
    found: list[Any] = []
    if filter.id:
        found.append(table.id == filter.id)
    if filter.request_id:
        found.append(table.request_id == filter.request_id)
    if filter.since is not None:
        found.append(table.occurred_at >= to_time(filter.since))
    if filter.until is not None:
        found.append(table.occurred_at < to_time(filter.until))
    if filter.status:
        found.append(table.status.between(filter.statuses[0], filter.statuses[-1]))
    if filter.path:
        found.append(_begins_with(table.path, filter.path, mysql=mysql))
    if filter.model_id:
        found.append(table.model_id == filter.model_id)
    if filter.slower_than_ms is not None:
        found.append(table.duration_ms > filter.slower_than_ms)
    return found


def _begins_with(column: Any, prefix: str, *, mysql: bool) -> Any:
    """Compare in a way that can use an index."""
    if not mysql:  # SQLite's LIKE ignores case
        return column.between(prefix, prefix + "\U0010ffff")
    # MySQL compares 'a' and 'a ' as equal, except in LIKE
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return peewee.Expression(column, "LIKE", f"{escaped}%")
