"""/livez, /readyz and /metrics: for operators."""

from __future__ import annotations

import falcon

from diamond_app.api.exchange_context import Request
from diamond_app.api.metrics import CONTENT_TYPE, Metrics
from diamond_app.api.operation import Access, Topic, operation
from diamond_app.responses import Alive, ModelName, Readiness
from diamond_core import ChampionFollower, RequestLog


class Liveness:
    """GET /livez: the process answers."""

    path = "/livez"

    @operation(
        id="live",
        topic=Topic.OPERATION,
        summary="Is the process alive?",
        answer=Alive,
        answered="Yes.",
        access=Access.EVERYONE,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Alive:
        return Alive("ok")


class ReadinessResource:
    """GET /readyz: whether stones can be priced, and what needs attention."""

    path = "/readyz"

    def __init__(self, follower: ChampionFollower, request_log: RequestLog) -> None:
        self._follower = follower
        self._request_log = request_log

    @operation(
        id="ready",
        topic=Topic.OPERATION,
        summary="Can stones be priced?",
        answer=Readiness,
        answered="Yes; degraded means that something needs attention.",
        errors=(503,),
        access=Access.EVERYONE,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Readiness:
        card = self._follower.get().card  # without a model: 503
        found = (self._follower.problem, self._request_log.health().problem)
        problems = [problem for problem in found if problem]
        return Readiness("degraded" if problems else "ok", ModelName.of(card), problems)


class MetricsResource:
    """GET /metrics: the counters of all workers, for Prometheus."""

    path = "/metrics"

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @operation(
        id="metrics",
        long=True,
        topic=Topic.OPERATION,
        summary="Metrics for Prometheus",
        answer="text/plain",
        answered="All metrics of all workers.",
        access=Access.EVERYONE,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.data = self._metrics.text()
        resp.content_type = CONTENT_TYPE
