"""/v1/requests: the request log, for administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import falcon
from msgspec import Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Access, Topic, operation
from diamond_app.api.payloads import invalid_parameters, read_query, whole_number
from diamond_app.exchange_filters import AGE_OR_TIME, parse_filter
from diamond_app.outcome_responses import SHOWN_PRICES, RecordedPrices
from diamond_app.request_responses import Exchange, Exchanges, FoundExchange
from diamond_app.responses import EXCHANGE_ID, MODEL_ID, described
from diamond_core import (
    Clock,
    ExchangeFilter,
    OutcomeLog,
    RecomputeExchange,
    RequestLog,
    ShadowLog,
    find_exchanges,
)
from diamond_core import Exchange as CoreExchange

MAXIMUM_REQUESTS: Final = 1000
DEFAULT_REQUESTS: Final = 50
_PAGE_BYTES: Final = 8_000_000
_AT_ONCE: Final = 10
_WHEN: Final = "An age such as 2h or 3d, or a day; times such as 2026-01-31T12:00Z work too"


class RequestsQuery(Struct):
    """Which exchanges to return; without any parameter, the newest."""

    id: Annotated[str, described("The exchange's own id.", EXCHANGE_ID)] = ""
    request_id: Annotated[str, described("The X-Request-ID.", "order-4711")] = ""
    since: Annotated[str, described(f"No older than this. {_WHEN}.", "3d", pattern=AGE_OR_TIME)] = (
        ""
    )
    until: Annotated[str, described(f"Older than this. {_WHEN}.", "2h", pattern=AGE_OR_TIME)] = ""
    path: Annotated[str, described("What the path begins with.", "/v1/predictions")] = ""
    model: Annotated[str, described("The id of the model that priced.", MODEL_ID)] = ""
    key: Annotated[str, described("The name of the API key.", "shop")] = ""
    status: Annotated[
        str,
        described("A status, or a class such as 4xx.", "4xx", pattern="^([1-5]([0-9]{2}|xx))?$"),
    ] = ""
    slower_than: Annotated[
        str,
        described(
            "Took longer than this: milliseconds, or seconds such as 1.5s.",
            "250ms",
            pattern=r"^([0-9]{1,9}(\.[0-9]{1,6})?(ms|s)?)?$",
        ),
    ] = ""
    limit: Annotated[
        int, described("The maximum number of exchanges.", 50, ge=1, le=MAXIMUM_REQUESTS)
    ] = DEFAULT_REQUESTS
    before: Annotated[str, described("The 'next' of the previous page.", EXCHANGE_ID)] = ""
    bodies: Annotated[bool, described("Whether to return the bodies.", False)] = False


class AllRequests:
    """GET /v1/requests: the exchanges, newest first, filtered and paged.

    ``next`` is the ``before`` of the next page. Bodies are returned only with ``bodies=true``,
    because this answer is recorded too; a page with large bodies has fewer exchanges.
    """

    path = "/v1/requests"

    def __init__(self, request_log: RequestLog, clock: Clock) -> None:
        self._request_log = request_log
        self._clock = clock

    @operation(
        id="list_requests",
        long=True,
        topic=Topic.REQUESTS,
        summary="Find requests and their responses",
        query=RequestsQuery,
        answer=Exchanges,
        answered="A page of exchanges, newest first.",
        errors=(503,),
        access=Access.ADMINS,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Exchanges:
        given, wrong = read_query(req, RequestsQuery)
        filter, wrong_filter = parse_filter(given, self._clock())
        wrong |= wrong_filter
        limit = whole_number(given, "limit", DEFAULT_REQUESTS, MAXIMUM_REQUESTS, wrong)
        bodies = _is_true(given, "bodies", wrong)
        if wrong:
            raise invalid_parameters(wrong)
        return self._page(filter, limit, given.get("before") or None, bodies=bodies)

    def _page(
        self, filter: ExchangeFilter, limit: int, before: str | None, *, bodies: bool
    ) -> Exchanges:
        if bodies:
            found, more = self._with_bodies(filter, limit, before)
        else:
            some = self._request_log.find(filter, limit=limit + 1, before=before, bodies=False)
            found, more = some[:limit], len(some) > limit
        return Exchanges(
            [Exchange.of(each, bodies=bodies) for each in found], found[-1].id if more else None
        )

    def _with_bodies(
        self, filter: ExchangeFilter, limit: int, before: str | None
    ) -> tuple[Sequence[CoreExchange], bool]:
        """Return up to *limit* exchanges, and whether there may be more."""
        page: list[CoreExchange] = []
        size = 0
        while found := self._request_log.find(
            filter, limit=min(limit - len(page), _AT_ONCE), before=before
        ):
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


def _is_true(given: Mapping[str, str], name: str, wrong: dict[str, str]) -> bool:
    """Return a parameter that is true or false, and false by default."""
    value = given.get(name) or "false"
    if value not in {"true", "false"}:
        wrong[name] = "must be true or false"
    return value == "true"


_REQUEST_PATH: Final = {
    "id": Annotated[
        str,
        described(
            "The id of an exchange or of a prediction in a batch, or an X-Request-ID.",
            "order-4711",
            minLength=1,
        ),
    ]
}


class OneRequest:
    """GET /v1/requests/{id}: the exchange with this id, else the newest with this X-Request-ID.

    It has its bodies; ``others`` are the others with this X-Request-ID, newest first.
    """

    path = "/v1/requests/{id}"

    def __init__(self, request_log: RequestLog) -> None:
        self._request_log = request_log

    @operation(
        id="show_request",
        long=True,
        topic=Topic.REQUESTS,
        summary="Show a request and its response in full",
        path=_REQUEST_PATH,
        answer=FoundExchange,
        answered="The exchange with this id, else the newest with this X-Request-ID, with its bodies.",
        errors=(404, 503),
        access=Access.ADMINS,
    )
    def on_get(self, req: Request, resp: falcon.Response, id: str) -> FoundExchange:
        return FoundExchange.of_all(find_exchanges(self._request_log, id))


class PricesQuery(Struct):
    """What to answer about the prices."""

    explain: Annotated[bool, described("Whether to say why each has its price.", True)] = False


class PricesOfRequest:
    """GET /v1/requests/{id}/prices: the prices of an exchange, computed again."""

    path = "/v1/requests/{id}/prices"

    def __init__(
        self, recompute_exchange: RecomputeExchange, outcome_log: OutcomeLog, shadow_log: ShadowLog
    ) -> None:
        self._recompute_exchange = recompute_exchange
        self._outcome_log = outcome_log
        self._shadow_log = shadow_log

    @operation(
        id="show_recorded_prices",
        long=True,
        topic=Topic.REQUESTS,
        summary="Compute recorded prices again",
        about="With what the model saw, and what was really paid. The same model gives the same"
        " price, to the cent.",
        path=_REQUEST_PATH,
        query=PricesQuery,
        answer=RecordedPrices,
        answered="The prices, as they were answered and as they are now.",
        errors=(404, 409, 503),
        access=Access.ADMINS,
    )
    def on_get(self, req: Request, resp: falcon.Response, id: str) -> RecordedPrices:
        given, wrong = read_query(req, PricesQuery)
        explain = _is_true(given, "explain", wrong)
        if wrong:
            raise invalid_parameters(wrong)
        found = self._recompute_exchange(id, explained=SHOWN_PRICES if explain else 0)
        ids = [stone.id for stone in found.stones[:SHOWN_PRICES]]
        return RecordedPrices.of(found, self._outcome_log.of(ids), self._shadow_log.of(ids))
