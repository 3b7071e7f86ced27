"""The middleware that gives each request its id, reads its body, and records the exchange."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final

import falcon
from falcon.stream import BoundedStream

from diamond_app.api.exchange_context import Request
from diamond_app.api.payloads import CSV, media_type
from diamond_app.api.problems import Problem
from diamond_app.api.redaction import redacted_query, redacted_url
from diamond_core import Exchange, RequestLog, Unavailable, new_exchange_id
from diamond_core.requests.exchange import is_sane_request_id

BODY_LIMIT: Final = 2_000_000
"""The maximum bytes of a request's body."""
CSV_BODY_LIMIT: Final = 16_000_000
"""The same for a CSV of stones."""

_MAXIMUM_DISCARDED: Final = 64_000_000
_RECORDED: Final = "/v1/"
_KEPT_HEADERS: Final = (
    ("HTTP_USER_AGENT", "User-Agent"),
    ("CONTENT_TYPE", "Content-Type"),
    ("HTTP_REFERER", "Referer"),
)
"""A header's name in the WSGI environment -> its name in the request log."""

_log = logging.getLogger("diamond_app")


class Recording:
    """Gives every response its ``X-Request-ID``, and records every exchange under /v1.

    A failing log never fails a request: if it can't record an exchange, the response is sent
    anyway, and the log counts the loss.
    """

    def __init__(self, request_log: RequestLog) -> None:
        self._request_log = request_log

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Give the request its id and read its body, so that the log records what was sent."""
        context = req.context
        context.occurred_at = datetime.now(UTC)
        context.id = new_exchange_id()
        given = req.env.get("HTTP_X_REQUEST_ID")
        context.request_id = given if given and is_sane_request_id(given) else context.id
        resp.set_header("X-Request-ID", context.request_id)
        if req.path.startswith(_RECORDED):
            context.body = _body(req)

    def process_response(
        self, req: Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        """Record the exchange before the response is sent."""
        if not req.path.startswith(_RECORDED):
            return
        context = req.context
        try:
            self._request_log.append(
                Exchange(
                    id=context.id,
                    request_id=context.request_id,
                    occurred_at=context.occurred_at,
                    method=req.method,
                    path=req.path,
                    query=redacted_query(req.query_string),
                    headers=_headers(req),
                    client=req.remote_addr or "",
                    key_name=context.key_name,
                    status=resp.status_code,
                    duration_ms=round((time.perf_counter() - context.started) * 1e3, 3),
                    request_body=context.body,
                    response_body=resp.data or b"",
                    model_id=context.model_id,
                )
            )
        except Unavailable as ex:
            _log.error("the exchange of request %s was not recorded: %s", context.request_id, ex)


def _body(req: Request) -> bytes:
    """Return the complete body.

    Raises:
        Problem: 413, it is larger than the limit; 400, it ended early.
    """
    length = req.content_length
    limit = CSV_BODY_LIMIT if _is_csv(req) else BODY_LIMIT
    if length is None:
        if "HTTP_TRANSFER_ENCODING" not in req.env:
            return b""
        body: bytes = req.stream.read(limit + 1)
    elif length == 0:
        return b""
    elif length > limit:
        _discard(req.bounded_stream, min(length, _MAXIMUM_DISCARDED))
        raise _too_large(limit)
    else:
        body = req.stream.read(length)
        if len(body) < length:
            raise Problem(400, "the body ended before its Content-Length was reached")
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _discard(stream: BoundedStream, size: int) -> None:
    """Read and discard *size* bytes: most clients read the answer only after sending everything."""
    while size > 0:
        chunk = stream.read(min(size, 65_536))
        if not chunk:
            return
        size -= len(chunk)


def _is_csv(req: Request) -> bool:
    """Return whether the request carries a CSV of stones for the route that accepts one."""
    if req.path != "/v1/predictions/batch":
        return False
    return media_type(req) == CSV


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        f"a body can have at most {limit:,} bytes; send fewer diamonds at once",
        headers={"Connection": "close"},
    )


def _headers(req: Request) -> dict[str, str]:
    env = req.env
    kept = {name: env[key] for key, name in _KEPT_HEADERS if env.get(key)}
    if "Referer" in kept:
        kept["Referer"] = redacted_url(kept["Referer"])
    return kept
