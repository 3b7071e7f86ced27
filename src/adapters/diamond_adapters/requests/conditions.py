"""A filter as SQL conditions, with the same meaning on SQLite and MySQL.

SQLite keeps no statistics of ranges: it would search a prefix of the path by its index even if all
exchanges match, and sort them all for each page. So a range that many exchanges match is written
with a plus, which keeps SQLite from using the index. https://www.sqlite.org/optoverview.html
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import peewee

from diamond_adapters.requests.rows import REQUESTS, to_time
from diamond_core.requests.exchange import first_id
from diamond_core.requests.exchange_filter import ExchangeFilter

_CLASS: Final = 100
_CLOCK_WAS_SET: Final = timedelta(minutes=1)
"""An exchange's id is made at the time when it occurred, by the clock that can be set meanwhile."""
_FIRST: Final = datetime(1970, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(2500, 1, 1, tzinfo=UTC)


def where(
    query: Any,
    filter: ExchangeFilter,
    *,
    mysql: bool,
    common: Collection[str] = (),
    paged: bool = True,
) -> Any:
    """Return *query*, limited to the rows of ``REQUESTS`` that match *filter*.

    Args:
        query: selects rows.
        filter: what they must match.
        mysql: whether it is for MySQL.
        common: the fields whose ranges match many rows.
        paged: whether the rows are sorted by id, and limited.
    """
    conditions = _conditions(filter, mysql=mysql, common=common, paged=paged)
    return query.where(*conditions) if conditions else query


def ranges(filter: ExchangeFilter) -> dict[str, ExchangeFilter]:
    """Return the ranges of a filter that have an index, each alone, by field."""
    found = {}
    if filter.path:
        found["path"] = ExchangeFilter(path=filter.path)
    if len(filter.statuses) == _CLASS:
        found["status"] = ExchangeFilter(status=filter.status)
    return found


def _conditions(
    filter: ExchangeFilter, *, mysql: bool, common: Collection[str], paged: bool
) -> list[Any]:
    table = REQUESTS
    status = _without_index(table.status) if "status" in common else table.status
    path = _without_index(table.path) if "path" in common else table.path
    found: list[Any] = []
    if filter.id:
        found.append(_is(table.id, filter.id, mysql=mysql))
    if filter.ids:  # the ids in the table have no spaces
        found.append(table.id.in_(sorted(id for id in filter.ids if id == id.rstrip(" "))))
    if filter.request_id:
        found.append(_is(table.request_id, filter.request_id, mysql=mysql))
    if filter.since is not None:
        found.append(table.occurred_at >= to_time(filter.since))
        if paged:  # else a page would read all newer or older exchanges
            found.append(table.id >= first_id(max(filter.since, _FIRST) - _CLOCK_WAS_SET))
    if filter.until is not None:
        found.append(table.occurred_at < to_time(filter.until))
        if paged:
            found.append(table.id < first_id(min(filter.until, _LAST) + _CLOCK_WAS_SET))
    if filter.status:
        first, last = filter.statuses[0], filter.statuses[-1]
        found.append(status == first if first == last else status.between(first, last))
    if filter.path:
        found.append(_begins_with(path, filter.path, mysql=mysql))
    if filter.model_id:
        found.append(_is(table.model_id, filter.model_id, mysql=mysql))
    if filter.key_name:
        found.append(_is(table.key_name, filter.key_name, mysql=mysql))
    if filter.slower_than_ms is not None:
        found.append(table.duration_ms > filter.slower_than_ms)
    return found


def _without_index(column: Any) -> Any:
    return peewee.NodeList((peewee.SQL("+"), column), glue="")


def _is(column: Any, text: str, *, mysql: bool) -> Any:
    # MySQL compares 'a' and 'a ' as equal, except in LIKE
    return _like(column, text) if mysql else column == text


def _begins_with(column: Any, prefix: str, *, mysql: bool) -> Any:
    """Compare in a way that can use an index."""
    if not mysql:  # SQLite's LIKE ignores case
        return column.between(prefix, prefix + "\U0010ffff")
    return _like(column, prefix, "%")


def _like(column: Any, text: str, rest: str = "") -> Any:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return peewee.Expression(column, "LIKE", f"{escaped}{rest}")
