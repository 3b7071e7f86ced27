"""The addresses under /v1/requests: the record, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import falcon
import orjson

from diamond_app.api.keys import Doorkeeper
from diamond_app.api.payloads import query_texts
from diamond_app.api.problems import invalid_values
from diamond_app.exchange_answer import exchange_answer
from diamond_app.record_filter import FILTERS, parse_filter
from diamond_core import Clock, Exchange, ExchangeFilter, RequestLog, find_exchanges

MOST_REQUESTS: Final = 1000
DEFAULT_REQUESTS: Final = 50
_PAGE_BYTES: Final = 8_000_000
_AT_ONCE: Final = 10


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
        filter, wrong_filter = parse_filter(given, self._clock())
        wrong |= wrong_filter
        limit = _limit(given, wrong)
        bodies = _bodies(given, wrong)
        if wrong:
            raise invalid_values([(f"/{name}", detail) for name, detail in wrong.items()])
        found, more = self._page(filter, limit, given.get("before") or None, bodies=bodies)
        _send(
            resp,
            {
                "requests": [exchange_answer(exchange, bodies=bodies) for exchange in found],
                "next": found[-1].id if more else None,
            },
        )

    def _page(
        self, filter: ExchangeFilter, limit: int, before: str | None, *, bodies: bool
    ) -> tuple[list[Exchange], bool]:
        """Return up to *limit* exchanges, and whether there may be more."""
        if not bodies:
            found = self._request_log.find(filter, limit=limit + 1, before=before, bodies=False)
            return list(found[:limit]), len(found) > limit
        page: list[Exchange] = []
        size = 0
        while found := self._find_few(filter, limit - len(page), before):
            for exchange in found:
                page.append(exchange)
                size += len(exchange.request_body) + len(exchange.response_body)
                if size >= _PAGE_BYTES:
                    break
            before = page[-1].id
            if len(page) == limit or size >= _PAGE_BYTES:
                rest = self._request_log.find(filter, limit=1, before=before, bodies=False)
                return page, bool(rest)
        return page, False

    def _find_few(
        self, filter: ExchangeFilter, limit: int, before: str | None
    ) -> Sequence[Exchange]:
        return self._request_log.find(filter, limit=min(limit, _AT_ONCE), before=before)


class OneRequest:
    """GET /v1/requests/{id}: the exchange of this id, else the newest of this X-Request-ID.

    With its bodies; ``others`` are the others that carry the same X-Request-ID, newest first.
    """

    def __init__(self, request_log: RequestLog, doorkeeper: Doorkeeper) -> None:
        self._request_log = request_log
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        self._doorkeeper.require_admin(req)
        newest, *others = find_exchanges(self._request_log, id)
        answer = exchange_answer(newest, bodies=True)
        answer["others"] = [exchange_answer(each, bodies=False) for each in others]
        _send(resp, answer)


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
