"""One request to the service and its response."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from diamond_core.errors import DiamondError

_SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def new_serial() -> str:
    """Return a new unique text of 32 hex digits that sorts by the time of its making."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


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
        if self.occurred_at.utcoffset() != timedelta(0):
            raise DiamondError("an exchange's time must be in UTC")
