"""The addresses under /v1/requests: the record, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import falcon
import orjson

from diamond_app.api.keys import Doorkeeper
from diamond_app.api.payloads import query_texts
from diamond_app.api.problems import invalid_values
from diamond_app.exchange_answer import exchange_answer, traffic_answer
from diamond_app.record_filter import FILTERS, parse_filter
from diamond_core.errors import ExchangeNotFound
from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.ports import Clock, RequestArchive, RequestLog

MOST_REQUESTS: Final = 1000
DEFAULT_REQUESTS: Final = 50
_PAGE_BYTES: Final = 8_000_000
_AT_ONCE: Final = 10
_OF_STATS: Final = ("since", "until", "path", "model")


class Requests:
    """GET /v1/requests: the record, newest first, filtered and paged.

    ``next`` is the ``before`` of the next page. Bodies come with ``bodies=true``, and a page
    with them ends early where they are large; left out by default, because this answer is
    recorded too.
    """

    def __init__(self, request_log: RequestLog, clock: Clock, doorkeeper: Doorkeeper) -> None:
        self._request_log = request_log
        self._clock = clock
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require_admin(req)
        given, wrong = query_texts(req, {*FILTERS, "limit", "before", "bodies"})
        wanted, not_wanted = parse_filter(given, self._clock())
        wrong |= not_wanted
        limit = _limit(given, wrong)
        bodies = _bodies(given, wrong)
        if wrong:
            raise invalid_values([(f"/{name}", told) for name, told in wrong.items()])
        found, more = self._page(wanted, limit, given.get("before") or None, bodies=bodies)
        _send(
            resp,
            {
                "requests": [exchange_answer(exchange, bodies=bodies) for exchange in found],
                "next": found[-1].serial if more else None,
            },
        )

    def _page(
        self, wanted: ExchangeFilter, limit: int, before: str | None, *, bodies: bool
    ) -> tuple[list[Exchange], bool]:
        """Return up to *limit* exchanges, and whether there may be more."""
        if not bodies:
            found = self._request_log.find(wanted, limit=limit + 1, before=before, bodies=False)
            return list(found[:limit]), len(found) > limit
        page: list[Exchange] = []
        size = 0
        while found := self._find_few(wanted, limit - len(page), before):
            for exchange in found:
                page.append(exchange)
                size += len(exchange.request_body) + len(exchange.response_body)
                if size >= _PAGE_BYTES:
                    break
            before = page[-1].serial
            if len(page) == limit or size >= _PAGE_BYTES:
                rest = self._request_log.find(wanted, limit=1, before=before, bodies=False)
                return page, bool(rest)
        return page, False

    def _find_few(
        self, wanted: ExchangeFilter, limit: int, before: str | None
    ) -> Sequence[Exchange]:
        return self._request_log.find(wanted, limit=min(limit, _AT_ONCE), before=before)


class OneRequest:
    """GET /v1/requests/{id}: the newest exchange of this X-Request-ID, with its bodies."""

    def __init__(self, request_log: RequestLog, doorkeeper: Doorkeeper) -> None:
        self._request_log = request_log
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        self._doorkeeper.require_admin(req)
        found = self._request_log.find(ExchangeFilter(id=id), limit=1)
        if not found:
            raise ExchangeNotFound(id)
        _send(resp, exchange_answer(found[0], bodies=True))


class RequestStats:
    """GET /v1/requests/stats: traffic, errors and durations by day and route."""

    def __init__(self, request_archive: RequestArchive, clock: Clock, door: Doorkeeper) -> None:
        self._request_archive = request_archive
        self._clock = clock
        self._doorkeeper = door

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require_admin(req)
        given, wrong = query_texts(req, set(_OF_STATS))
        wanted, not_wanted = parse_filter({"since": "7d"} | given, self._clock())
        wrong |= not_wanted
        if wrong:
            raise invalid_values([(f"/{name}", told) for name, told in wrong.items()])
        traffic = self._request_archive.traffic(wanted)
        _send(resp, {"stats": [traffic_answer(each) for each in traffic]})


def _limit(given: dict[str, str], wrong: dict[str, str]) -> int:
    text = given.get("limit") or str(DEFAULT_REQUESTS)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MOST_REQUESTS:
        return int(text)
    wrong["limit"] = f"must be a whole number from 1 to {MOST_REQUESTS}"
    return DEFAULT_REQUESTS


def _bodies(given: dict[str, str], wrong: dict[str, str]) -> bool:
    text = given.get("bodies") or "false"
    if text not in {"true", "false"}:
        wrong["bodies"] = "must be true or false"
    return text == "true"


def _send(resp: falcon.Response, values: Any) -> None:
    resp.data = orjson.dumps(values)
