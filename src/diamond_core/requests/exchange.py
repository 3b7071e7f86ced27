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

from diamond_core.errors import DiamondError

_SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


# Chance, not secrecy: to ask the system for random bytes would let go of the interpreter and make
# each request wait for its other threads. It is our own, so that nobody's seed repeats an id,
# and a forked process is seeded afresh.
_chance = random.Random()  # noqa: S311
if hasattr(os, "register_at_fork"):  # where there are forks
    os.register_at_fork(after_in_child=_chance.seed)


def new_exchange_id() -> str:
    """Return a new unique text of 32 hex digits that sorts by the time of its making."""
    return f"{time.time_ns():016x}{_chance.getrandbits(64):016x}"


def is_sane_request_id(text: str) -> bool:
    """Tell whether a caller's request id may be kept: 1 to 64 characters, letters, digits, ``._:-``."""
    return _SANE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response, as the request log keeps them.

    Attributes:
        id: unique for each exchange; sorts by the time of its making.
        request_id: the X-Request-ID that the caller saw: its own if it sent one, which it may
            repeat, else *id*.
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
    request_id: str
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
