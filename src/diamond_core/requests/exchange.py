"""The exchange: one request to the service with its response."""

from __future__ import annotations

import hashlib
import os
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from diamond_core.errors import DiamondError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OF_A_PREDICTION: Final = re.compile(r"([0-9a-f]{32})(?:-[0-9]{1,6})?")
_SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


# Ids must be unique, not secret: reading random bytes from the system would release the GIL and
# make each request wait for other threads. The generator is our own, so that a seed set elsewhere
# does not repeat ids, and a forked process gets a new seed.
_chance = random.Random()  # noqa: S311
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_chance.seed)


def new_exchange_id() -> str:
    """Return a new unique id of 32 hex digits that sorts by the time of its creation."""
    return f"{time.time_ns():016x}{_chance.getrandbits(64):016x}"


def first_id(since: datetime) -> str:
    """Return a text that sorts before the ids since this time, and after the earlier ones."""
    microseconds = max(timedelta(0), since - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds * 1000:016x}"


def exchange_of(prediction_id: str) -> str | None:
    """Return the id of a prediction's exchange: its own, without the place in a batch.

    None: it is not the id of a prediction.
    """
    match = _OF_A_PREDICTION.fullmatch(prediction_id)
    return match[1] if match else None


def is_sane_request_id(text: str) -> bool:
    """Return whether a request id is valid: a letter or digit, then up to 63 more or ``._:-``."""
    return _SANE_ID.fullmatch(text) is not None


_Body = bytes  # in the class below, ``bytes`` is a number


@dataclass(frozen=True, slots=True)
class Truncation:
    """Stands for a body of which the request log keeps only the beginning.

    Attributes:
        bytes: the size of the complete body.
        sha256: its SHA-256, in hex; '' if it is unknown because the body was not read completely.
    """

    bytes: int
    sha256: str

    @classmethod
    def of(cls, body: _Body) -> Self:
        """Return what describes a complete body."""
        return cls(len(body), hashlib.sha256(body).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its response, as the request log stores it.

    Attributes:
        id: unique for each exchange; sorts by the time of its creation.
        request_id: the X-Request-ID of the response: the caller's if it sent a valid one, which
            can be used more than once, else *id*.
        occurred_at: when the request arrived, in UTC, to the microsecond.
        query: the part of the URL after '?'.
        headers: selected request headers; never a secret.
        client: the caller's address.
        key_name: the name of the API key, never the key itself; '' if none was used.
        duration_ms: from the arrival of the request until the response is ready.
        request_body, response_body: the bytes, unchanged; only their beginning if they were cut.
        request_truncation, response_truncation: describe the complete body if it was cut, else None.
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
    request_truncation: Truncation | None = None
    response_truncation: Truncation | None = None
    model_id: str = ""

    def __post_init__(self) -> None:
        zone = self.occurred_at.tzinfo
        if zone is not UTC and self.occurred_at.utcoffset() != timedelta(0):
            raise DiamondError("an exchange's time must be in UTC")
