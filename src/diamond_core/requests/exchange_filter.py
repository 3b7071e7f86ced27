"""Filters of exchanges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from diamond_core.errors import InvalidFilter
from diamond_core.requests.exchange import Exchange

_STATUS: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFilter:
    """Selects exchanges by all of its conditions; None, '' or nothing is no condition.

    Attributes:
        id: the exchange's id.
        ids: the exchange has one of these ids; empty: any.
        request_id: the caller's X-Request-ID.
        since, until: the exchange occurred at *since* or later, and before *until*; in UTC.
        status: a status such as '404', or a class of them such as '4xx'.
        path: a prefix of the path.
        model_id: the model that priced.
        key_name: the name of the API key.
        slower_than_ms: the exchange took longer than this.

    Raises:
        InvalidFilter: a value is invalid.
    """

    id: str = ""
    ids: frozenset[str] = frozenset()
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    path: str = ""
    model_id: str = ""
    key_name: str = ""
    slower_than_ms: float | None = None

    def __post_init__(self) -> None:
        for name, time_ in (("since", self.since), ("until", self.until)):
            if time_ is not None and time_.utcoffset() != timedelta(0):
                raise InvalidFilter(name, "must be a time in UTC")
        if self.status and _STATUS.fullmatch(self.status) is None:
            raise InvalidFilter("status", "must be a status such as 404 or a class such as 4xx")
        if self.slower_than_ms is not None and not self.slower_than_ms >= 0.0:
            raise InvalidFilter("slower_than_ms", "must be milliseconds, zero or more")

    @property
    def statuses(self) -> range:
        """The statuses that match."""
        if not self.status:
            return range(1000)
        if self.status.endswith("xx"):
            hundred = int(self.status[0]) * 100
            return range(hundred, hundred + 100)
        return range(int(self.status), int(self.status) + 1)

    def matches(self, exchange: Exchange) -> bool:
        """Return whether the exchange matches the filter."""
        return (
            (not self.id or exchange.id == self.id)
            and (not self.ids or exchange.id in self.ids)
            and (not self.request_id or exchange.request_id == self.request_id)
            and (self.since is None or exchange.occurred_at >= self.since)
            and (self.until is None or exchange.occurred_at < self.until)
            and exchange.status in self.statuses
            and exchange.path.startswith(self.path)
            and (not self.model_id or exchange.model_id == self.model_id)
            and (not self.key_name or exchange.key_name == self.key_name)
            and (self.slower_than_ms is None or exchange.duration_ms > self.slower_than_ms)
        )
