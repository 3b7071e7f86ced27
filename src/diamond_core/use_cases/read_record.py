"""Reading any part of the record in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.ports import RequestLog

PAGE_BYTES: Final = 8_000_000
_FIRST_PAGE: Final = 10
_LARGEST_PAGE: Final = 1000


def read_record(log: RequestLog, wanted: ExchangeFilter) -> Iterator[Exchange]:
    """Yield the exchanges that are *wanted*, newest first.

    Pages grow while bodies are small and shrink where they are large, so that a page holds
    about ``PAGE_BYTES``.

    Raises:
        Unavailable: the record can't be read.
    """
    limit = _FIRST_PAGE
    before: str | None = None
    while page := log.find(wanted, limit=limit, before=before):
        yield from page
        before = page[-1].serial
        mean = sum(map(_size, page)) / len(page)
        limit = round(min(PAGE_BYTES / mean, 2 * limit, _LARGEST_PAGE)) or 1


def _size(exchange: Exchange) -> int:
    """Return about how many bytes the exchange takes."""
    return 500 + len(exchange.path) + len(exchange.request_body) + len(exchange.response_body)
