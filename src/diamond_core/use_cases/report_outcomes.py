"""Report what was really paid for stones that the service priced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from diamond_core.errors import (
    Conflict,
    DiamondError,
    FieldProblem,
    InvalidOutcome,
    NotTheCaller,
    PredictionNotFound,
)
from diamond_core.monitoring.outcome import Outcome, OutcomeReport
from diamond_core.monitoring.priced_stones import PricedStones, ReadPriced
from diamond_core.ports import Clock, OutcomeLog, RequestLog
from diamond_core.requests.exchange import exchange_of
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.use_cases.read_requests import read_requests

_AT_ONCE: Final = 2000
_TRIES: Final = 5
_TWICE: Final = "is given more than once, with different values"


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report: the prediction's last outcome; *is_new* if the report made it."""

    outcome: Outcome
    is_new: bool


class ReportOutcomes:
    """Keeps the outcomes of predictions."""

    def __init__(
        self, log: RequestLog, read_priced: ReadPriced, outcomes: OutcomeLog, clock: Clock
    ) -> None:
        self._log = log
        self._read_priced = read_priced
        self._outcomes = outcomes
        self._clock = clock

    def __call__(self, report: OutcomeReport, *, by: str, admin: bool = False) -> Outcome:
        """Keep a report as the prediction's last outcome; a repeated one changes nothing.

        Args:
            report: what was paid.
            by: the name of the caller's API key, '' without one.
            admin: whether the caller can report about the predictions of others.

        Raises:
            PredictionNotFound: there is no such prediction, or its exchange is not kept whole.
            NotTheCaller: another key asked for the prediction.
            ImplausibleOutcome: the price must be a mistake.
            InvalidOutcome: the prediction is reported twice, with different values.
            Unavailable: the prediction can't be read, or the outcome was not stored; try again.
        """
        (result,) = self.many([report], by=by, admin=admin)
        if isinstance(result, DiamondError):
            raise result
        return result.outcome

    def many(
        self, reports: Iterable[OutcomeReport], *, by: str, admin: bool = False
    ) -> Iterator[Reported | DiamondError]:
        """Keep some thousand reports at a time; yield what became of each, or its error as above.

        Only the ids are remembered, so there can be more reports than fit into memory.

        Raises:
            Unavailable: not all were kept; reporting all again is safe.
        """
        rest = iter(reports)
        numbers: dict[str, int | DiamondError] = {}  # of each prediction's first report
        while some := list(islice(rest, _AT_ONCE)):
            firsts: dict[str, OutcomeReport] = {}
            again = set()
            for each in some:
                if each.id in numbers or each.id in firsts:
                    again.add(each.id)
                else:
                    firsts[each.id] = each
            made = self._some(list(firsts.values()), by, admin=admin)
            results = dict(zip(firsts, made, strict=True))
            numbers |= {
                id: result.outcome.number if isinstance(result, Reported) else result
                for id, result in results.items()
            }
            kept = {(each.id, each.number): each for each in self._outcomes.of(list(again))}
            for each in some:
                first = numbers[each.id]
                if each.id in results:
                    yield results.pop(each.id)
                elif isinstance(first, DiamondError):
                    yield first
                elif each.repeats(outcome := kept[each.id, first]):
                    yield Reported(outcome, is_new=False)
                else:
                    yield InvalidOutcome([FieldProblem("id", _TWICE)])

    def _some(
        self, reports: Sequence[OutcomeReport], by: str, *, admin: bool
    ) -> list[Reported | DiamondError]:
        predictions = self._predictions({each.id for each in reports})
        for _ in range(_TRIES):
            last = {each.id: each for each in self._outcomes.of(list(predictions))}
            results: list[Reported | DiamondError] = []
            for report in reports:
                try:
                    stone = predictions.get(report.id)
                    if stone is None:
                        raise PredictionNotFound(report.id)
                    if not admin and stone.keys[0] != by:
                        raise NotTheCaller(report.id)
                    outcome = self._outcome(report, stone, last.get(report.id), by)
                    results.append(Reported(outcome, outcome is not last.get(report.id)))
                except DiamondError as ex:
                    results.append(ex)
            try:
                self._outcomes.add(
                    [each.outcome for each in results if isinstance(each, Reported) and each.is_new]
                )
            except Conflict:  # someone else has reported meanwhile
                continue
            return results
        raise Conflict("others report outcomes of the same predictions; try again")

    def _outcome(
        self, report: OutcomeReport, stone: PricedStones, last: Outcome | None, by: str
    ) -> Outcome:
        """Return the outcome of a report: *last* itself if the report repeats it."""
        if last is not None and report.repeats(last):
            return last
        predicted = float(stone.prices[0])
        report.check(predicted)
        now = self._clock()
        return Outcome(
            id=report.id,
            number=1 if last is None else last.number + 1,
            price_paid=report.price_paid,
            paid_on=report.paid_on or (now.date() if last is None else last.paid_on),
            note=report.note or "",
            reported_at=now,
            key_name=by,
            diamond=stone.table.diamond(0),
            model_id=str(stone.models[0]),
            predicted=predicted,
            low=float(stone.lows[0]),
            high=float(stone.highs[0]),
        )

    def _predictions(self, ids: Iterable[str]) -> dict[str, PricedStones]:
        """Return the predictions that the log has with these ids, each alone."""
        asked = set(ids)
        wanted = {exchange_id for id in asked if (exchange_id := exchange_of(id))}
        found: dict[str, PricedStones] = {}
        if wanted:
            exchanges = read_requests(self._log, ExchangeFilter(ids=frozenset(wanted)))
            for stones in self._read_priced(exchanges):
                for at in np.flatnonzero([id in asked for id in stones.ids]):
                    found[stones.ids[at]] = stones[at : at + 1]
        return found
