"""What went on, by day and route: requests, errors, and how long they took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from diamond_core.exchange import Exchange

ROUTES: Final = (
    "/v1/predictions",
    "/v1/predictions/batch",
    "/v1/similar",
    "/v1/models",
    "/v1/models/champion",
    "/v1/models/{id}",
    "/v1/models/{id}/promote",
    "/v1/requests",
    "/v1/requests/stats",
    "/v1/requests/{id}",
)
"""The service's routes; where two fit a path, the first counts."""

OTHER: Final = "(other)"
"""The route of paths that the service does not know: one for all that scanners try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One route on one day, in UTC.

    Attributes:
        client_errors, server_errors: the answers of 400 to 499, and of 500 and above.
        p50_ms, p95_ms, p99_ms: this share of the requests took at most so long (nearest rank).
    """

    day: date
    route: str
    requests: int
    client_errors: int
    server_errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def route_of(path: str) -> str:
    """Return the route of *path*."""
    for route in ROUTES:
        before, id, after = route.partition("{id}")
        if path == route or (
            id
            and path.startswith(before)
            and path.endswith(after)
            and len(path) > len(before) + len(after)
            and path.count("/") == route.count("/")
        ):
            return route
    return OTHER


def traffic_of(exchanges: Iterable[Exchange]) -> list[Traffic]:
    """Return the traffic that *exchanges* were, by day and then by route."""
    groups: defaultdict[tuple[date, str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        groups[exchange.occurred_at.date(), route_of(exchange.path)].append(exchange)
    return [_summary(day, route, groups[day, route]) for day, route in sorted(groups)]


def _summary(day: date, route: str, exchanges: list[Exchange]) -> Traffic:
    durations = sorted(exchange.duration_ms for exchange in exchanges)
    count = len(durations)

    def percentile(percent: int) -> float:
        return durations[(count * percent + 99) // 100 - 1]

    return Traffic(
        day=day,
        route=route,
        requests=count,
        client_errors=sum(400 <= exchange.status < 500 for exchange in exchanges),
        server_errors=sum(exchange.status >= 500 for exchange in exchanges),
        p50_ms=percentile(50),
        p95_ms=percentile(95),
        p99_ms=percentile(99),
    )
