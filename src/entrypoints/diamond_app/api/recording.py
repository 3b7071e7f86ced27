"""The middleware that gives each request its id and records the exchange."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final

import falcon

from diamond_app.api.exchange_context import Request
from diamond_app.api.problems import Problem
from diamond_app.api.redaction import redacted_query, redacted_url
from diamond_app.api.request_body import discard_body, kept
from diamond_core import Exchange, RequestLog, Unavailable, new_exchange_id
from diamond_core.requests.exchange import is_sane_request_id

RECORDED: Final = "/v1/"
"""What the path of a recorded exchange begins with."""

_KEPT_HEADERS: Final = (
    ("HTTP_USER_AGENT", "User-Agent"),
    ("CONTENT_TYPE", "Content-Type"),
    ("HTTP_REFERER", "Referer"),
    ("HTTP_X_FORWARDED_FOR", "X-Forwarded-For"),
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
        """Give the request its id; refuse a path that is not in its normal form.

        Raises:
            Problem: 404.
        """
        context = req.context
        context.occurred_at = datetime.now(UTC)
        context.id = new_exchange_id()
        given = req.env.get("HTTP_X_REQUEST_ID")
        context.request_id = given if given and is_sane_request_id(given) else context.id
        resp.set_header("X-Request-ID", context.request_id)
        if not is_normal(req):
            raise Problem(404, f"there is no resource at {req.path}")

    def process_response(
        self, req: Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        """Record the exchange before the response is sent."""
        if not req.path.startswith(RECORDED):
            return
        context = req.context
        discard_body(req)
        status = resp.status_code
        request_body, request_truncation = kept(context.body, context.truncation, status)
        sent = b"" if req.method == "HEAD" else resp.data or b""
        response_body, response_truncation = context.answered or kept(sent, None, 0)
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
                    status=status,
                    duration_ms=round((time.perf_counter() - context.started) * 1e3, 3),
                    request_body=request_body,
                    response_body=response_body,
                    request_truncation=request_truncation,
                    response_truncation=response_truncation,
                    model_id=context.model_id,
                )
            )
        except Unavailable as ex:
            _log.error("the exchange of request %s was not recorded: %s", context.request_id, ex)


def is_normal(req: Request) -> bool:
    """Return whether the path has one meaning: no empty segment, no encoded slash.

    Otherwise a path such as //v1/requests could pass the rules of a proxy.
    """
    env = req.env
    sent = (env.get("RAW_URI") or env.get("REQUEST_URI") or "").partition("?")[0]
    return "//" not in env["PATH_INFO"] and "%2f" not in sent.lower()


def _headers(req: Request) -> dict[str, str]:
    env = req.env
    kept = {name: env[key] for key, name in _KEPT_HEADERS if env.get(key)}
    if "Referer" in kept:
        kept["Referer"] = redacted_url(kept["Referer"])
    return kept
