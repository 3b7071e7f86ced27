"""Metrics for Prometheus, counted in each worker and told for all of them at once.

With several workers, the environment names a folder (``PROMETHEUS_MULTIPROC_DIR``, made by
``gunicorn_conf``) where each worker keeps its counts in a memory-mapped file. Names and buckets
of the durations follow OpenTelemetry's semantic conventions for HTTP servers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

import falcon
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from diamond_core.errors import NoChampion
from diamond_core.use_cases.serve_champion import Champion
from diamond_core.version import __version__

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds, as OpenTelemetry advises."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


class JournalStatus(Protocol):
    """How the journal between the service and the database stands."""

    @property
    def pending(self) -> int:
        """Entries that are not yet in the database."""
        ...

    @property
    def oldest_age_seconds(self) -> float:
        """How long the oldest of them has waited; 0.0 where there is none."""
        ...

    @property
    def bytes(self) -> int:
        """What the journal takes on the disk."""
        ...

    @property
    def limit(self) -> int:
        """What it may take at most, in bytes."""
        ...

    @property
    def shipped(self) -> int:
        """Entries that were brought to the database so far."""
        ...

    @property
    def lost(self) -> int:
        """Exchanges that could not be kept so far."""
        ...

    @property
    def poisoned(self) -> int:
        """Entries set aside because the database refuses them."""
        ...


class Metrics:
    """The middleware that times each request, and the text that Prometheus reads.

    Args:
        champion: what is served, for the model's metrics.
        journal_status: returns how the journal stands, or None where there is no journal.
    """

    def __init__(
        self, champion: Champion, journal_status: Callable[[], JournalStatus | None] | None = None
    ) -> None:
        self._champion = champion
        self._journal_status = journal_status
        self._registry = CollectorRegistry()
        self._durations = Histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP server requests.",
            ("http_request_method", "http_route", "http_response_status_code"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._predictions = Counter(
            "diamond_predictions",
            "Stones priced, by model.",
            ("model",),
            registry=self._registry,
        )
        # looking up a labelled child costs as much as counting with it
        self._observe: dict[tuple[str, str | None, int], Callable[[float], None]] = {}
        self._count: dict[str, Callable[[float], None]] = {}

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Start the clock."""
        req.context.clock = time.perf_counter()

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        """Count the request, and the stones that a resource says it priced."""
        context = req.context
        key = (req.method, req.uri_template, resp.status_code)
        observe = self._observe.get(key)
        if observe is None:
            observe = self._observe[key] = self._observer(*key)
        observe(time.perf_counter() - context.clock)
        priced = context.get("priced")
        if priced:
            model = context.model_id
            count = self._count.get(model)
            if count is None:
                count = self._count[model] = self._predictions.labels(model).inc
            count(priced)

    def _observer(self, method: str, route: str | None, status: int) -> Callable[[float], None]:
        known = method if method in _METHODS else "_OTHER"
        return self._durations.labels(known, route or "", str(status)).observe

    def text(self) -> bytes:
        """Return all metrics of all workers in Prometheus's text format."""
        registry = CollectorRegistry()
        if os.environ.get(FOLDER):
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped library
        else:
            registry.register(_Collected(self._registry.collect))
        registry.register(_Collected(self._state))
        return generate_latest(registry)

    def _state(self) -> Iterator[Metric]:
        """Yield what is read at this moment and counted nowhere."""
        build = GaugeMetricFamily("diamond_build_info", "The running version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield from self._model_state()
        status = self._journal_status() if self._journal_status is not None else None
        if status is not None:
            yield from _journal_state(status)

    def _model_state(self) -> Iterator[Metric]:
        loaded = GaugeMetricFamily(
            "diamond_model_info", "The model that serves.", labels=["model", "family"]
        )
        error = GaugeMetricFamily(
            "diamond_model_mae_usd", "Its mean absolute error on the hold-out.", labels=["model"]
        )
        trained = GaugeMetricFamily(
            "diamond_model_trained_timestamp_seconds", "When it was trained.", labels=["model"]
        )
        try:
            card = self._champion.get().card
        except NoChampion:
            pass
        else:
            loaded.add_metric([card.id, card.family], 1)
            error.add_metric([card.id], card.metrics.mae)
            trained.add_metric([card.id], card.created_at.timestamp())
        yield from (loaded, error, trained)
        yield GaugeMetricFamily(
            "diamond_champion_refused",
            "1 while the champion can't be loaded and another model serves.",
            value=1.0 if self._champion.problem else 0.0,
        )


def _journal_state(status: JournalStatus) -> Iterator[Metric]:
    gauge, counter = GaugeMetricFamily, CounterMetricFamily
    yield gauge("diamond_journal_entries", "Exchanges not yet in the database.", status.pending)
    yield gauge(
        "diamond_journal_oldest_age_seconds",
        "How long the oldest of them has waited.",
        status.oldest_age_seconds,
    )
    yield gauge("diamond_journal_size_bytes", "The journal's size on disk.", status.bytes)
    yield gauge("diamond_journal_limit_bytes", "The size it may have at most.", status.limit)
    yield gauge(
        "diamond_journal_poisoned_entries", "Exchanges the database refuses.", status.poisoned
    )
    yield counter("diamond_journal_shipped", "Exchanges brought to the database.", status.shipped)
    yield counter("diamond_journal_lost", "Exchanges that could not be kept.", status.lost)


class _Collected:
    """A collector made of a function."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect
