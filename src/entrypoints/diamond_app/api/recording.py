"""The middleware that names each request, reads its body, and records the exchange."""

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
"""Where WSGI has a header -> its name in the request log."""

_log = logging.getLogger("diamond_app")


class Recording:
    """Give every response its ``X-Request-ID``, and every exchange under /v1 to the log.

    The log never takes the service down: where it can't keep an exchange, the response goes
    out all the same; the log counts what it loses.
    """

    def __init__(self, request_log: RequestLog) -> None:
        self._request_log = request_log

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Name the request and read its body, so that what is recorded is what was sent."""
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
        """Record the exchange before the response leaves."""
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
            _log.error("exchange %s was not recorded: %s", context.request_id, ex)


def _body(req: Request) -> bytes:
    """Return the whole body.

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
    """Read *size* bytes away: most clients look for an answer only once all is sent."""
    while size > 0:
        chunk = stream.read(min(size, 65_536))
        if not chunk:
            return
        size -= len(chunk)


def _is_csv(req: Request) -> bool:
    """Tell whether the request carries a CSV of stones for the route that takes one."""
    if req.path != "/v1/predictions/batch":
        return False
    return media_type(req) == CSV


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        f"a body may have at most {limit:,} bytes; send fewer diamonds at once",
        headers={"Connection": "close"},
    )


def _headers(req: Request) -> dict[str, str]:
    env = req.env
    kept = {name: env[key] for key, name in _KEPT_HEADERS if env.get(key)}
    if "Referer" in kept:
        kept["Referer"] = redacted_url(kept["Referer"])
    return kept
