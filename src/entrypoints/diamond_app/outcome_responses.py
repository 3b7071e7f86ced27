"""The answers about outcomes and live errors; see ``responses``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Self

from msgspec import Struct

from diamond_app.responses import EXCHANGE_ID, MODEL_ID, TIME, described

if TYPE_CHECKING:
    import diamond_core

DAY: Final = "2026-11-24"

_Count = Annotated[int, described("The number of predictions with a price paid.", 312, ge=0)]


class Outcome(Struct, frozen=True, kw_only=True):
    """What was really paid for a stone, beside the prediction."""

    id: Annotated[str, described("The prediction's id.", EXCHANGE_ID)]
    price_paid: Annotated[float, described("The price paid, in USD.", 4500.0, gt=0)]
    predicted: Annotated[float, described("The predicted price, in USD.", 4608.99, gt=0)]
    error: Annotated[float, described("The predicted price minus the price paid, in USD.", 108.99)]
    in_range: Annotated[bool, described("Whether the price paid is in the price range.", True)]
    date: Annotated[str, described("The day it was paid.", DAY, format="date")]
    note: Annotated[str, described("What was noted.", "")]
    number: Annotated[
        int, described("1 for the first report about this prediction, then 2, ...", 1, ge=1)
    ]
    reported_at: Annotated[str, described("When it was reported (UTC).", TIME, format="date-time")]
    key_name: Annotated[str, described("Who reported it.", "shop")]
    model_id: Annotated[str, described("The model that priced the stone.", MODEL_ID)]

    @classmethod
    def of(cls, outcome: diamond_core.Outcome) -> Self:
        """Return the answer for an outcome."""
        return cls(
            id=outcome.id,
            price_paid=outcome.price_paid,
            predicted=outcome.predicted,
            error=outcome.error,
            in_range=outcome.in_range,
            date=outcome.paid_on.isoformat(),
            note=outcome.note,
            number=outcome.number,
            reported_at=outcome.reported_at.isoformat(timespec="microseconds"),
            key_name=outcome.key_name,
            model_id=outcome.model_id,
        )


class LiveWeek(Struct, frozen=True, kw_only=True):
    """The errors on prices that were paid in one week."""

    since: Annotated[str, described("The Monday of the week.", "2026-11-23", format="date")]
    outcomes: _Count
    mae: Annotated[float, described("Mean absolute error, in USD.", 301.5, ge=0)]
    mae_low: Annotated[float, described("The lower end of its 95 % interval.", 280.1, ge=0)]
    mae_high: Annotated[float, described("The upper end of its 95 % interval.", 322.9, ge=0)]
    bias: Annotated[float, described("Mean of predicted minus paid prices, in USD.", -12.4)]
    mape: Annotated[float, described("Mean absolute percentage error; 0.08 is 8 %.", 0.08, ge=0)]
    coverage: Annotated[
        float, described("The share of paid prices in their price range.", 0.9, ge=0, le=1)
    ]


class LiveErrors(Struct, frozen=True, kw_only=True):
    """A model's errors against the prices that were really paid."""

    model_id: Annotated[str, described("The model's id.", MODEL_ID)]
    at: Annotated[
        str | None,
        described("When it was computed (UTC); null: not yet.", TIME, format="date-time"),
    ]
    outcomes: _Count
    mae: Annotated[
        float | None, described("Mean absolute error, in USD; null: no outcomes.", 301.5)
    ]
    mae_low: Annotated[float | None, described("The lower end of its 95 % interval.", 280.1)]
    mae_high: Annotated[float | None, described("The upper end of its 95 % interval.", 322.9)]
    bias: Annotated[float | None, described("Mean of predicted minus paid prices, in USD.", -12.4)]
    relative_bias: Annotated[
        float | None, described("The sum of predicted prices / of paid prices - 1.", -0.004)
    ]
    mape: Annotated[float | None, described("Mean absolute percentage error.", 0.08)]
    coverage: Annotated[
        float | None, described("The share of paid prices in their price range.", 0.9)
    ]
    weeks: Annotated[list[LiveWeek], described("By the week of payment, oldest first.", [])]

    @classmethod
    def of(cls, model_id: str, live: diamond_core.LiveErrors | None, at: datetime | None) -> Self:
        """Return the answer for a model's live errors as of *at*; None: it has none."""
        time = None if at is None else at.isoformat(timespec="microseconds")
        if live is None:
            nothing = dict.fromkeys(_ERRORS)
            return cls(model_id=model_id, at=time, outcomes=0, weeks=[], **nothing)
        total = live.total
        return cls(
            model_id=model_id,
            at=time,
            outcomes=total.outcomes,
            weeks=[
                LiveWeek(
                    since=week.since.isoformat(),
                    outcomes=week.error.outcomes,
                    **_errors(week.error, LiveWeek.__struct_fields__[2:]),
                )
                for week in live.weeks
            ],
            **_errors(total, _ERRORS),
        )


_ERRORS: Final = ("mae", "mae_low", "mae_high", "bias", "relative_bias", "mape", "coverage")


def _errors(error: diamond_core.LiveError, names: Sequence[str]) -> dict[str, float]:
    return {name: getattr(error, name) for name in names}
