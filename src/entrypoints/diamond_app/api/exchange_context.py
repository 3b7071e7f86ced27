"""The data about a request while it is answered."""

from __future__ import annotations

from datetime import UTC, datetime

import falcon

from diamond_core import Truncation


class ExchangeContext:
    """``req.context``: what the request log records and the metrics count.

    Attributes:
        id: the exchange's id.
        request_id: the caller's X-Request-ID, else the same as ``id``.
        occurred_at: when the request arrived.
        started: the time of arrival by ``time.perf_counter``, in seconds.
        body: the request's complete body; its beginning if *truncation* describes the complete one.
        body_is_read: whether the body was read from the connection.
        answered: what the request log keeps of an answer that is sent from a file, or None.
        key_name: the name of the key that was used, or ''.
        model_id: the model that priced, or ''.
        priced: how many stones were priced.
    """

    __slots__ = (
        "answered",
        "body",
        "body_is_read",
        "id",
        "key_name",
        "model_id",
        "occurred_at",
        "priced",
        "request_id",
        "started",
        "truncation",
    )

    def __init__(self) -> None:
        self.id = ""
        self.request_id = ""
        self.occurred_at = _BEFORE
        self.started = 0.0
        self.body = b""
        self.body_is_read = False
        self.truncation: Truncation | None = None
        self.answered: tuple[bytes, Truncation] | None = None
        self.key_name = ""
        self.model_id = ""
        self.priced = 0


_BEFORE = datetime.min.replace(tzinfo=UTC)


class Request(falcon.Request):
    """A request whose ``context`` has the attributes of an exchange."""

    context_type = ExchangeContext
    context: ExchangeContext  # type: ignore[assignment]  # Falcon's has any attribute
