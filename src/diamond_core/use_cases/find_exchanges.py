"""Find the exchanges with an id."""

from __future__ import annotations

from collections.abc import Sequence

from diamond_core.errors import ExchangeNotFound
from diamond_core.ports import RequestLog
from diamond_core.requests.exchange import Exchange, exchange_of
from diamond_core.requests.exchange_filter import ExchangeFilter


def find_exchanges(log: RequestLog, id: str, *, limit: int = 100) -> Sequence[Exchange]:
    """Return the exchange with this id, then the newest *limit* with this X-Request-ID.

    The id of one prediction in a batch finds the exchange of the batch. An exchange's own id comes
    first, so that a caller who sends it as X-Request-ID can't hide that exchange; the exchanges
    after it have no bodies.

    Raises:
        ExchangeNotFound: there is none.
        Unavailable: the log can't be read.
    """
    if not id:  # an empty filter would find everything
        raise ExchangeNotFound(id)
    found = list(log.find(ExchangeFilter(id=exchange_of(id) or id), limit=1))
    found += log.find(ExchangeFilter(request_id=id), limit=limit, bodies=not found)
    if not found:
        raise ExchangeNotFound(id)
    first, *others = found
    return [first, *(each for each in others if each.id != first.id)]
