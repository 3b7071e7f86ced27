"""Metrics for Prometheus: the middleware that counts, and the text with all workers' counts.

Names and buckets of the durations follow OpenTelemetry's semantic conventions for HTTP servers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

import falcon

from diamond_app.api.counters import BUCKETS, Counters, SharedCounters
from diamond_app.api.exchange_context import Request
from diamond_core import (
    ChampionFollower,
    DriftLimits,
    LiveErrors,
    Monitoring,
    MonitoringStore,
    NoChampion,
    RequestLog,
    RequestLogHealth,
    Unavailable,
    __version__,
)
from diamond_core.use_cases.watch_prices import WINDOW

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

FOLDER: Final = "DIAMOND_METRICS_FOLDER"
"""Where workers share their counts; set by ``gunicorn_conf``, not by users."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


class Metrics:
    """The middleware that times each request, and the text that Prometheus reads.

    Args:
        follower: knows the served model, for its metrics.
        request_log: its health becomes metrics.
        monitoring: what was last computed about drift.
        limits: what drift is tolerated.
    """

    def __init__(
        self,
        follower: ChampionFollower,
        request_log: RequestLog,
        monitoring: MonitoringStore,
        limits: DriftLimits,
    ) -> None:
        self._follower = follower
        self._request_log = request_log
        self._monitoring = monitoring
        self._limits = limits
        folder = os.environ.get(FOLDER)
        self._counters = SharedCounters(Path(folder) if folder else None)

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Start the clock."""
        req.context.started = time.perf_counter()

    def process_response(
        self, req: Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        """Count the request, and the stones that were priced."""
        context = req.context
        seconds = time.perf_counter() - context.started
        method = req.method if req.method in _METHODS else "_OTHER"
        stones = context.priced
        route = (method, req.uri_template or "", resp.status_code)
        self._counters.count(route, seconds, context.model_id if stones else "", stones)

    def text(self) -> bytes:
        """Return all metrics of all workers in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest  # only a scrape needs it

        registry = CollectorRegistry()
        registry.register(_Collected(self._collect))
        return generate_latest(registry)

    def _collect(self) -> Iterator[Metric]:
        yield from _counted(self._counters.total())
        yield from self._state()

    def _state(self) -> Iterator[Metric]:
        """Yield the metrics that are read now, not counted."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        build = GaugeMetricFamily("diamond_build_info", "The running version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield from self._model_state()
        yield from _log_state(self._request_log.health())
        yield from self._drift()

    def _drift(self) -> Iterator[Metric]:
        """Yield what was last computed about the last week, if anything was."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        try:
            found = self._monitoring.load()
        except Unavailable:
            found = None
        if found is None:
            return
        drift = found.drift(found.at - WINDOW, self._limits)
        psi = GaugeMetricFamily(
            "diamond_drift_psi", "Population stability index of the last week.", labels=["field"]
        )
        drifted = GaugeMetricFamily(
            "diamond_drifted", "1 where that is too much.", labels=["field"]
        )
        for each in drift.fields:
            psi.add_metric([each.field], each.psi)
            drifted.add_metric([each.field], float(each.drifted))
        drifted.add_metric(["outside_training_range"], float(drift.outside_drifted))
        drifted.add_metric(["bias"], float(bool(found.bias_alarm(self._limits))))
        yield from (psi, drifted)
        yield GaugeMetricFamily(
            "diamond_outside_training_range_ratio",
            "Share of the stones of the last week outside the training range.",
            drift.outside_training_range,
        )
        if drift.price_level is not None:
            yield GaugeMetricFamily(
                "diamond_price_level_ratio",
                "Mean price predicted in the last week / mean training price.",
                drift.price_level,
            )
        yield GaugeMetricFamily(
            "diamond_monitoring_timestamp_seconds",
            "When this was computed.",
            found.at.timestamp(),
        )
        yield from _live(found.live)
        yield from _shadows(found)

    def _model_state(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily

        loaded = GaugeMetricFamily(
            "diamond_model_info", "The served model.", labels=["model", "family"]
        )
        error = GaugeMetricFamily(
            "diamond_model_mae_usd", "The served model's MAE on the hold-out.", labels=["model"]
        )
        trained = GaugeMetricFamily(
            "diamond_model_trained_timestamp_seconds", "Model training time.", labels=["model"]
        )
        try:
            card = self._follower.get().card
        except NoChampion:
            pass
        else:
            loaded.add_metric([card.id, card.family], 1)
            error.add_metric([card.id], card.metrics.mae)
            trained.add_metric([card.id], card.created_at.timestamp())
        yield from (loaded, error, trained)
        yield GaugeMetricFamily(
            "diamond_champion_refused",
            "1 while the champion can't be checked or loaded, or its files are lost.",
            value=1.0 if self._follower.problem else 0.0,
        )


def _live(errors: Sequence[LiveErrors]) -> Iterator[Metric]:
    """Yield each model's errors against the prices that were really paid."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    for name, about, value in (
        ("outcomes", "Prices paid for stones that the model priced.", "outcomes"),
        ("mae_usd", "Mean absolute error against prices paid.", "mae"),
        ("bias_ratio", "Predicted prices / prices paid - 1.", "relative_bias"),
        ("mape_ratio", "Mean absolute percentage error against prices paid.", "mape"),
        ("coverage_ratio", "Share of prices paid inside their price range.", "coverage"),
    ):
        family = GaugeMetricFamily(f"diamond_live_{name}", about, labels=["model"])
        for each in errors:
            family.add_metric([each.model_id], getattr(each.total, value))
        yield family


def _shadows(found: Monitoring) -> Iterator[Metric]:
    """Yield each shadow's prices beside those that were answered."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    labels = ["model", "shadow"]
    change = GaugeMetricFamily(
        "diamond_shadow_change_ratio", "Mean of shadow price / price - 1.", labels=labels
    )
    error = GaugeMetricFamily(
        "diamond_shadow_error_difference_usd",
        "The shadow's MAE against prices paid, minus the model's.",
        labels=labels,
    )
    for each in found.shadows:
        pair = [each.model_id, each.shadow_model_id]
        change.add_metric(pair, each.mean_change)
        if each.errors is not None:
            error.add_metric(pair, each.errors.difference)
    yield from (change, error)
    yield GaugeMetricFamily(
        "diamond_shadow_refused",
        "1 while the shadow can't price.",
        value=float(bool(found.shadow_problem)),
    )


def _counted(counters: Counters) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

    durations = HistogramMetricFamily(
        "http_server_request_duration_seconds",
        "Duration of HTTP server requests.",
        labels=("http_request_method", "http_route", "http_response_status_code"),
    )
    ends = [*map(str, BUCKETS), "+Inf"]
    for (method, route, status), counts in sorted(counters.durations.items()):
        cumulative = list(zip(ends, accumulate(counts[:-1]), strict=True))
        durations.add_metric([method, route, str(status)], cumulative, counts[-1])
    priced = CounterMetricFamily(
        "diamond_predictions", "Stones priced, by model.", labels=["model"]
    )
    for model, stones in sorted(counters.priced.items()):
        priced.add_metric([model], stones)
    yield from (durations, priced)


def _log_state(health: RequestLogHealth) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    gauge, counter = GaugeMetricFamily, CounterMetricFamily
    yield gauge("diamond_spool_entries", "Exchanges not yet in the database.", health.pending)
    yield gauge(
        "diamond_spool_oldest_age_seconds",
        "Age of the oldest exchange that is not yet in the database.",
        health.oldest_age_seconds,
    )
    yield gauge("diamond_spool_size_bytes", "The spool's size on disk.", health.bytes)
    yield gauge("diamond_spool_limit_bytes", "The spool's maximum size.", health.limit)
    yield gauge(
        "diamond_spool_dead_letters", "Exchanges that the database refused.", health.dead_letters
    )
    yield gauge("diamond_spool_damaged_files", "Spool files that can't be read.", health.damaged)
    yield gauge(
        "diamond_spool_shipper_silent_seconds",
        "Time since the shipper wrote its state, while exchanges wait.",
        health.silent_seconds,
    )
    if health.database_limit:
        yield gauge("diamond_requests_size_bytes", "The request log's size.", health.database_bytes)
        yield gauge("diamond_requests_limit_bytes", "Its maximum size.", health.database_limit)
    yield counter("diamond_spool_shipped", "Exchanges moved to the database.", health.shipped)
    yield counter("diamond_spool_lost", "Exchanges that could not be recorded.", health.lost)


class _Collected:
    """A collector made from a function."""

    def __init__(self, collect: Callable[[], Iterator[Metric]]) -> None:
        self.collect = collect
