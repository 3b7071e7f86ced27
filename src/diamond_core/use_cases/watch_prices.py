"""Count the requests that are recorded, and compare them with the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from diamond_core.errors import NoChampion, Unavailable
from diamond_core.models.model_card import ModelCard
from diamond_core.monitoring.counted_stones import CountedStones
from diamond_core.monitoring.drift import DriftLimits
from diamond_core.monitoring.live_error import LiveErrors
from diamond_core.monitoring.monitoring import Monitoring, RequestDay
from diamond_core.monitoring.outcome import current
from diamond_core.monitoring.priced_stones import ReadPriced, priced
from diamond_core.ports import Clock, MonitoringStore, OutcomeLog, Progress, RequestLog, no_progress
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.read_requests import read_requests
from diamond_core.use_cases.shadow_prices import ShadowPrices

WATCHED: Final = timedelta(days=31)
"""The requests of this last time, and of the day in which it begins, are counted."""
WINDOW: Final = timedelta(days=7)
"""The window of the alarms and the metrics."""

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


class WatchPrices:
    """Counts requests, and keeps the counts: readers answer from what is kept.

    Args:
        log: the requests.
        read_priced: reads the stones and prices in them.
        history: the models.
        store: where the counts are kept.
        outcomes: the prices that were paid.
        clock: the time.
        limits: what drift is tolerated.
        shadow: prices the stones again, if there is one.
        keep: how long its prices are kept; None: without limit.
    """

    def __init__(
        self,
        log: RequestLog,
        read_priced: ReadPriced,
        history: ModelHistory,
        store: MonitoringStore,
        outcomes: OutcomeLog,
        clock: Clock,
        limits: DriftLimits,
        shadow: ShadowPrices,
        keep: timedelta | None,
    ) -> None:
        self._log = log
        self._read_priced = read_priced
        self._history = history
        self._outcomes = outcomes
        self._clock = clock
        self._shadow = shadow
        self._keep = keep
        self.store = store
        self.limits = limits

    def __call__(self, progress: Progress = no_progress) -> Monitoring:
        """Read the new requests of the last 31 days, and keep the counts of all.

        An hour is read again if other requests are recorded in it than before.

        Raises:
            NoChampion: there is nothing to compare with.
            Unavailable: the log can't be read, the champion has no profile, or the counts can't be
                kept.
        """
        card = self._champion()
        at = self._clock()
        first = (at - WATCHED).replace(hour=0, minute=0, second=0, microsecond=0)
        counted = self.store.load_counted() or CountedStones()
        counted.forget(first)
        days = tuple(self._days(first, at))
        self._shadow.start()
        self._read(counted, days, progress)
        self.store.save_counted(counted)
        if card.profile is None:
            raise Unavailable(f"the model {card.id} has no profile of its data: train it again")
        if self._keep is not None:
            self._shadow.prune(at - self._keep)
        outcomes = list(current(self._outcomes.read()))
        found = Monitoring(
            at=at,
            since=first,
            model_id=card.id,
            profile=card.profile,
            hours=counted.hours(card.profile, card.training_range),
            days=days,
            live=tuple(LiveErrors.of(outcomes).values()),
            shadows=self._shadow.compare(outcomes),
            shadow_problem=self._shadow.problem,
        )
        self.store.save(found)
        return found

    def alarms(self, found: Monitoring) -> Mapping[str, str]:
        """Return a sentence for each thing that has drifted in the last week, by its name."""
        alarms = dict(found.drift(found.at - WINDOW, self.limits).alarms())
        bias = found.bias_alarm(self.limits)
        return alarms | ({"bias": bias} if bias else {})

    def _champion(self) -> ModelCard:
        id = self._history.champion()
        if id is None:
            raise NoChampion
        return self._history.card(id)

    def _read(self, counted: CountedStones, days: Sequence[RequestDay], progress: Progress) -> None:
        """Read the hours in which other requests are recorded than *counted* has."""
        hours = []
        for day in days:
            some = [day.day + hour * _HOUR for hour in range(24)]
            if day.requests == sum(map(counted.requests, some)):
                continue
            for hour in some:
                requests = self._log.count(ExchangeFilter(since=hour, until=hour + _HOUR))
                if requests != counted.requests(hour):
                    hours.append((hour, requests))
        for number, (hour, requests) in enumerate(hours):
            progress("reading the requests", number / len(hours))
            exchanges = read_requests(self._log, *priced(hour, hour + _HOUR))
            stones = self._read_priced(exchanges)
            counted.read(hour, requests, self._shadow.of(stones))

    def _days(self, day: datetime, until: datetime) -> Iterator[RequestDay]:
        while day < until:
            requests, client_errors, server_errors = (
                self._log.count(ExchangeFilter(since=day, until=day + _DAY, status=status))
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
