"""Read any part of the request log in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from operator import attrgetter
from typing import Final

from diamond_core.ports import RequestLog
from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter

PAGE_BYTES: Final = 8_000_000
_FIRST_PAGE: Final = 10
_MAXIMUM_PAGE: Final = 1000


def read_requests(log: RequestLog, *filters: ExchangeFilter) -> Iterator[Exchange]:
    """Yield the exchanges that match one of *filters*, newest first.

    No exchange may match two of them.

    Pages have more exchanges if bodies are small and fewer if they are large, so that a page has
    about ``PAGE_BYTES``.

    Raises:
        Unavailable: the log can't be read.
    """
    streams = [_read(log, each) for each in filters]
    return merge(*streams, key=attrgetter("id"), reverse=True)  # an id sorts by time


def _read(log: RequestLog, filter: ExchangeFilter) -> Iterator[Exchange]:
    limit = _FIRST_PAGE
    before: str | None = None
    while page := log.find(filter, limit=limit, before=before):
        yield from page
        if len(page) < limit:
            return
        before = page[-1].id
        mean = sum(map(_size, page)) / len(page)
        limit = round(min(PAGE_BYTES / mean, 2 * limit, _MAXIMUM_PAGE)) or 1


def _size(exchange: Exchange) -> int:
    """Return the approximate size of the exchange in bytes."""
    return 500 + len(exchange.path) + len(exchange.request_body) + len(exchange.response_body)
