"""Report what was really paid for stones that the service priced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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

_AT_ONCE: Final = 500
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
        self, reports: Sequence[OutcomeReport], *, by: str, admin: bool = False
    ) -> list[Reported | DiamondError]:
        """Keep each report, and return what became of it, or its error as above.

        Raises:
            Unavailable: not all were kept; reporting all again is safe.
        """
        firsts = {each.id: each for each in reversed(reports)}
        distinct = list(firsts.values())
        found: dict[str, Reported | DiamondError] = {}
        for start in range(0, len(distinct), _AT_ONCE):
            some = distinct[start : start + _AT_ONCE]
            results = self._some(some, by, admin=admin)
            found |= {each.id: result for each, result in zip(some, results, strict=True)}
        return [
            found[each.id] if each is firsts[each.id] else _again(each, found[each.id])
            for each in reports
        ]

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
        wanted: dict[str, set[str]] = {}
        for id in ids:
            if exchange_id := exchange_of(id):
                wanted.setdefault(exchange_id, set()).add(id)
        found: dict[str, PricedStones] = {}
        for exchange_id, some in wanted.items():
            exchanges = self._log.find(ExchangeFilter(id=exchange_id), limit=1)
            for stones in self._read_priced(exchanges):
                for at in np.flatnonzero([id in some for id in stones.ids]):
                    found[stones.ids[at]] = stones[at : at + 1]
        return found


def _again(report: OutcomeReport, first: Reported | DiamondError) -> Reported | DiamondError:
    """Return what becomes of another report of a prediction, after its *first* one."""
    if isinstance(first, DiamondError):
        return first
    if report.repeats(first.outcome):
        return Reported(first.outcome, is_new=False)
    return InvalidOutcome([FieldProblem("id", _TWICE)])
