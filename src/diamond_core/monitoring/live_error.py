"""The error of a model on stones whose price was paid after it was predicted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Final, Self

from diamond_core.models.evaluation import NORMAL_QUANTILE
from diamond_core.monitoring.outcome import Outcome

MINIMUM_OUTCOMES: Final = 30
"""With fewer outcomes, nothing is said about the bias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveError:
    """The errors of some predictions against the prices that were paid.

    Attributes:
        outcomes: the number of predictions, above 0.
        mae: mean absolute error, USD.
        mae_low, mae_high: the ends of its 95 % confidence interval: mean and standard error, which
            needs some tens of outcomes; equal to *mae* for one outcome.
        bias: the mean of predicted minus paid prices, USD.
        mean_paid: the mean price paid, USD.
        relative_bias: the sum of predicted prices / the sum of paid prices - 1.
        mape: mean absolute percentage error, as a fraction of the price paid.
        coverage: the share of paid prices inside the price range.
    """

    outcomes: int
    mae: float
    mae_low: float
    mae_high: float
    bias: float
    mean_paid: float
    relative_bias: float
    mape: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWeek:
    """The errors on prices paid in one week, which begins on the Monday *since*."""

    since: date
    error: LiveError


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveErrors:
    """The live errors of one model, in all and by week, oldest first."""

    model_id: str
    total: LiveError
    weeks: tuple[LiveWeek, ...]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> dict[str, Self]:
        """Return the live errors of each model, by id, of one outcome for each prediction."""
        sums: dict[str, dict[date, _Sums]] = {}
        for each in outcomes:
            monday = each.paid_on - timedelta(days=each.paid_on.weekday())
            sums.setdefault(each.model_id, {}).setdefault(monday, _Sums()).add(each)
        found = {}
        for id in sorted(sums):
            weeks, total = sums[id], _Sums()
            for week in weeks.values():
                total.join(week)
            found[id] = cls(
                model_id=id,
                total=total.error(),
                weeks=tuple(LiveWeek(since=day, error=weeks[day].error()) for day in sorted(weeks)),
            )
        return found

    def bias_alarm(self, since: date, limit: float) -> str:
        """Return a sentence if predictions are off by more than a share *limit* in total, or ''.

        The weeks from *since* on count, if they have ``MINIMUM_OUTCOMES``: then the noise of the
        bias is about 2 % of the price.
        """
        weeks = [week.error for week in self.weeks if week.since >= since]
        outcomes = sum(each.outcomes for each in weeks)
        if outcomes < MINIMUM_OUTCOMES:
            return ""
        error = sum(each.bias * each.outcomes for each in weeks)
        share = error / sum(each.mean_paid * each.outcomes for each in weeks)
        if abs(share) <= limit:
            return ""
        side = "above" if share > 0 else "below"
        return (
            f"the prices of {self.model_id} were {abs(share):.0%} {side} what was really paid for"
            f" {outcomes:,} stones since {since}"
        )


class _Sums:
    """Sums over outcomes."""

    def __init__(self) -> None:
        self._count = 0
        self._values = [0.0] * 7

    def add(self, outcome: Outcome) -> None:
        error, paid = outcome.predicted - outcome.price_paid, outcome.price_paid
        self._count += 1
        absolute = abs(error)
        row = (absolute, error * error, error, outcome.predicted, paid, absolute / paid)
        for at, value in enumerate((*row, float(outcome.in_range))):
            self._values[at] += value

    def join(self, other: _Sums) -> None:
        self._count += other._count
        self._values = [a + b for a, b in zip(self._values, other._values, strict=True)]

    def error(self) -> LiveError:
        n = self._count
        absolute, squared, error, predicted, paid, percent, covered = self._values
        mae = absolute / n
        spread = max(0.0, squared - n * mae * mae) / max(n - 1, 1)  # of absolute errors
        margin = NORMAL_QUANTILE * sqrt(spread / n)
        return LiveError(
            outcomes=n,
            mae=mae,
            mae_low=max(0.0, mae - margin),
            mae_high=mae + margin,
            bias=error / n,
            mean_paid=paid / n,
            relative_bias=predicted / paid - 1.0,
            mape=percent / n,
            coverage=covered / n,
        )
