"""Count the requests that are recorded, and compare them with the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from diamond_core.errors import NoChampion, Unavailable
from diamond_core.models.model_card import ModelCard
from diamond_core.monitoring.drift import DriftLimits
from diamond_core.monitoring.hourly_counts import HourlyCounter
from diamond_core.monitoring.live_error import LiveErrors
from diamond_core.monitoring.monitoring import Monitoring, RequestDay
from diamond_core.monitoring.outcome import current
from diamond_core.monitoring.priced_stones import PricedStones, ReadPriced, priced
from diamond_core.ports import Clock, MonitoringStore, OutcomeLog, Progress, RequestLog, no_progress
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.read_requests import read_requests

WATCHED: Final = timedelta(days=31)
"""The requests of this last time are counted."""
WINDOW: Final = timedelta(days=7)
"""The window of the alarms and the metrics."""

_DAY: Final = timedelta(days=1)


class WatchPrices:
    """Counts requests, and keeps the counts: readers answer from what is kept.

    Attributes:
        limits: what drift is tolerated.
        store: where the counts are kept.
    """

    def __init__(
        self,
        request_log: RequestLog,
        read_priced: ReadPriced,
        history: ModelHistory,
        store: MonitoringStore,
        outcomes: OutcomeLog,
        clock: Clock,
        limits: DriftLimits,
    ) -> None:
        self._request_log = request_log
        self._read_priced = read_priced
        self._history = history
        self._outcomes = outcomes
        self._clock = clock
        self.store = store
        self.limits = limits

    def __call__(self, progress: Progress = no_progress) -> Monitoring:
        """Count the requests of the last 31 days, and keep the counts.

        Raises:
            NoChampion: there is nothing to compare with.
            Unavailable: the log can't be read, the champion has no profile, or the counts can't be
                kept.
        """
        found = self.count(self._clock() - WATCHED, progress)
        self.store.save(found)
        return found

    def alarms(self, found: Monitoring) -> Mapping[str, str]:
        """Return a sentence for each thing that has drifted in the last week, by its name."""
        alarms = dict(found.drift(found.at - WINDOW, self.limits).alarms())
        bias = found.bias_alarm(self.limits)
        return alarms | ({"bias": bias} if bias else {})

    def count(self, since: datetime, progress: Progress = no_progress) -> Monitoring:
        """Count the requests from the hour of *since* on, at most those of 31 days.

        Raises: as above.
        """
        card = self._champion()
        if card.profile is None:
            raise Unavailable(f"the model {card.id} has no profile of its data: train it again")
        at = self._clock()
        first = max(since, at - WATCHED).replace(minute=0, second=0, microsecond=0)
        counter = HourlyCounter(card.profile, card.training_range)
        for stones in self._priced(first):
            counter.add(stones)
            passed = (at - stones.times[-1].item().replace(tzinfo=at.tzinfo)) / (at - first)
            progress("reading the requests", min(max(passed, 0.0), 1.0))
        return Monitoring(
            at=at,
            since=first,
            model_id=card.id,
            profile=card.profile,
            hours=counter.hours(),
            days=tuple(self._days(first, at)),
            live=tuple(LiveErrors.of(current(self._outcomes.read())).values()),
        )

    def _champion(self) -> ModelCard:
        id = self._history.champion()
        if id is None:
            raise NoChampion
        return self._history.card(id)

    def _priced(self, since: datetime) -> Iterator[PricedStones]:
        return self._read_priced(read_requests(self._request_log, priced(since)))

    def _days(self, since: datetime, until: datetime) -> Iterator[RequestDay]:
        day = since.replace(hour=0)
        while day < until:
            requests, client_errors, server_errors = (
                self._request_log.count(ExchangeFilter(since=day, until=day + _DAY, status=status))
                for status in ("", "4xx", "5xx")
            )
            yield RequestDay(
                day=day,
                requests=requests,
                client_errors=client_errors,
                server_errors=server_errors,
            )
            day += _DAY


def load_monitoring(store: MonitoringStore) -> Monitoring:
    """Return what was last computed.

    Raises:
        Unavailable: nothing was computed yet, or it can't be read.
    """
    found = store.load()
    if found is None:
        raise Unavailable(
            "nothing is computed yet: the service does it some minutes after the first requests;"
            " diamond drift does it at once"
        )
    return found
