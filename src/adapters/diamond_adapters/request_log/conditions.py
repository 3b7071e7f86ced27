"""Which rows are wanted, in SQL that means the same on SQLite and MySQL."""

from __future__ import annotations

from typing import Any

import peewee

from diamond_adapters.request_log.rows import to_time
from diamond_core.exchange import ExchangeFilter


def where(query: Any, table: Any, wanted: ExchangeFilter, *, mysql: bool) -> Any:
    """Return *query* for only the rows of *table* that are wanted."""
    conditions = _conditions(table, wanted, mysql=mysql)
    return query.where(*conditions) if conditions else query


def _conditions(table: Any, wanted: ExchangeFilter, *, mysql: bool) -> list[Any]:
    found: list[Any] = []
    if wanted.id:
        found.append((table.id == wanted.id) | (table.serial == wanted.id))
    if wanted.since is not None:
        found.append(table.occurred_at >= to_time(wanted.since))
    if wanted.until is not None:
        found.append(table.occurred_at < to_time(wanted.until))
    if wanted.status:
        found.append(table.status.between(wanted.statuses[0], wanted.statuses[-1]))
    if wanted.path:
        found.append(_begins_with(table.path, wanted.path, mysql=mysql))
    if wanted.model_id:
        found.append(table.model_id == wanted.model_id)
    if wanted.slower_than_ms is not None:
        found.append(table.duration_ms > wanted.slower_than_ms)
    return found


def _begins_with(column: Any, prefix: str, *, mysql: bool) -> Any:
    """Compare in a way that an index can serve."""
    if not mysql:  # SQLite's LIKE takes a for A
        return column.between(prefix, prefix + "\U0010ffff")
    # MySQL compares 'a' and 'a ' as equal, except in LIKE
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return peewee.Expression(column, "LIKE", f"{escaped}%")
