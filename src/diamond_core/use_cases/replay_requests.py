"""Price recorded requests again with any model of the history."""

from __future__ import annotations

from datetime import datetime

from diamond_core.models.model_card import ModelId
from diamond_core.monitoring.outcome import current
from diamond_core.monitoring.priced_stones import ReadPriced, priced
from diamond_core.monitoring.replay import Replay, ReplaySums
from diamond_core.ports import Clock, OutcomeLog, Progress, RequestLog, no_progress
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.price_diamonds import PriceDiamonds
from diamond_core.use_cases.read_requests import read_requests


class ReplayRequests:
    """Shows what a model would have answered to the recorded requests.

    The memory does not depend on the number of requests; each outcome takes about 200 bytes.
    """

    def __init__(
        self,
        log: RequestLog,
        history: ModelHistory,
        read_priced: ReadPriced,
        clock: Clock,
        outcomes: OutcomeLog,
    ) -> None:
        self._log = log
        self._history = history
        self._read_priced = read_priced
        self._clock = clock
        self._outcomes = outcomes

    def __call__(
        self,
        model: ModelId,
        *,
        since: datetime,
        until: datetime | None = None,
        against: ModelId | None = None,
        progress: Progress = no_progress,
    ) -> Replay:
        """Compare *model* with the recorded answers, or with those that *against* would give.

        The requests are those *since* this time and before *until*, both in UTC.

        Raises:
            ModelNotFound, ModelDamaged: one of the models can't be used.
            Unavailable: the log, the outcomes or the models can't be read.
        """
        challenger = PriceDiamonds(self._history.load(model))
        champion = None if against is None else PriceDiamonds(self._history.load(against))
        paid = current(self._outcomes.read(since))
        sums = ReplaySums({each.id: each.price_paid for each in paid})
        exchanges = read_requests(self._log, *priced(since, until))
        end = until or self._clock()
        for stones in self._read_priced(exchanges):
            old = stones if champion is None else champion.many(stones.table)
            sums.add(stones, old, challenger.many(stones.table))
            read = end - stones.times[-1].item().replace(tzinfo=end.tzinfo)  # newest first
            progress("replaying the requests", min(max(read / (end - since), 0.0), 1.0))
        return sums.result(model=model, against=against or "", since=since, until=until)
