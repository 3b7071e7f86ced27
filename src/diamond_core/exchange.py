"""One request to the service and its response."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from diamond_core.errors import DiamondError, InvalidFilter

_SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_STATUS: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)")


# Chance, not secrecy: to ask the system for random bytes would let go of the interpreter and make
# each request wait for its other threads. It is our own, so that nobody's seed repeats a serial,
# and a forked process is seeded afresh.
_chance = random.Random()  # noqa: S311
if hasattr(os, "register_at_fork"):  # where there are forks
    os.register_at_fork(after_in_child=_chance.seed)


def new_serial() -> str:
    """Return a new unique text of 32 hex digits that sorts by the time of its making."""
    return f"{time.time_ns():016x}{_chance.getrandbits(64):016x}"


def is_sane_request_id(text: str) -> bool:
    """Tell whether a caller's request id may be kept: 1 to 64 characters, letters, digits, ``._:-``."""
    return _SANE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response, as the record keeps them.

    Attributes:
        id: the request id that the caller saw (X-Request-ID).
        serial: unique for each exchange even where a caller repeats an id; sorts by time.
        occurred_at: when the request arrived, with its time zone, to the microsecond.
        query: the part of the URL after '?', without it.
        headers: the few request headers worth keeping; never a secret.
        client: the peer's address.
        key_name: the name of the API key that was used, never the key; '' for none.
        duration_ms: from the request's arrival to the response's readiness.
        request_body, response_body: the bytes, unchanged.
        model_id: the model that priced, or ''.
    """

    id: str
    serial: str
    occurred_at: datetime
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    key_name: str = ""
    status: int
    duration_ms: float
    request_body: bytes = b""
    response_body: bytes = b""
    model_id: str = ""

    def __post_init__(self) -> None:
        zone = self.occurred_at.tzinfo
        if zone is not UTC and self.occurred_at.utcoffset() != timedelta(0):
            raise DiamondError("an exchange's time must be in UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFilter:
    """Which exchanges are wanted; None or '' asks for nothing in particular.

    Attributes:
        id: the request id, or the serial.
        since, until: the exchange occurred at *since* or later, and before *until*; in UTC.
        status: a status such as '404', or a class of them such as '4xx'.
        path: what the path begins with.
        model_id: the model that priced.
        slower_than_ms: it took longer than this.

    Raises:
        InvalidFilter: a value can't be used.
    """

    id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    path: str = ""
    model_id: str = ""
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
        """The statuses that are wanted."""
        if not self.status:
            return range(1000)
        if self.status.endswith("xx"):
            hundred = int(self.status[0]) * 100
            return range(hundred, hundred + 100)
        return range(int(self.status), int(self.status) + 1)

    def matches(self, exchange: Exchange) -> bool:
        """Tell whether the exchange is wanted."""
        return (
            (not self.id or self.id in (exchange.id, exchange.serial))
            and (self.since is None or exchange.occurred_at >= self.since)
            and (self.until is None or exchange.occurred_at < self.until)
            and exchange.status in self.statuses
            and exchange.path.startswith(self.path)
            and (not self.model_id or exchange.model_id == self.model_id)
            and (self.slower_than_ms is None or exchange.duration_ms > self.slower_than_ms)
        )
