"""The answers about outcomes and live errors; see ``responses``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from msgspec import UNSET, Struct, UnsetType

from diamond_app.price_responses import Explanation
from diamond_app.responses import EXCHANGE_ID, MODEL_ID, TIME, described
from diamond_core.codec import to_plain

if TYPE_CHECKING:
    import diamond_core

DAY: Final = "2026-11-24"
SHOWN_PRICES: Final = 100
"""The maximum number of prices of an exchange in one answer: it is recorded too."""

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


class Shadow(Struct, frozen=True, kw_only=True):
    """A shadow beside the model whose prices were answered; see ``DIAMOND_SHADOW``."""

    model_id: Annotated[str, described("The model whose prices were answered.", MODEL_ID)]
    shadow_model_id: Annotated[str, described("The shadow.", "xgboost-20260131-120000-1f2e3d")]
    since: Annotated[str, described("The first of the prices (UTC).", TIME, format="date-time")]
    until: Annotated[str, described("The last of them (UTC).", TIME, format="date-time")]
    stones: Annotated[int, described("How many stones both priced.", 5120, ge=1)]
    mean_change: Annotated[float, described("The mean of shadow price / price - 1.", 0.012)]
    mean_absolute_change: Annotated[float, described("The mean size of it.", 0.034, ge=0)]
    large_changes: Annotated[float, described("The share that differs by over 5 %.", 0.2, ge=0)]
    outcomes: Annotated[int, described("For how many of them a paid price is known.", 312, ge=0)]
    mae: Annotated[
        float | None, described("The model's mean absolute error on these, in USD.", 301.5)
    ]
    shadow_mae: Annotated[float | None, described("The shadow's.", 284.2)]
    difference: Annotated[float | None, described("The shadow's error minus the model's.", -17.3)]
    low: Annotated[float | None, described("The lower end of its 95 % interval.", -25.1)]
    high: Annotated[float | None, described("The upper end of its 95 % interval.", -9.5)]
    significant: Annotated[bool, described("Whether the difference is more than noise.", True)]
    verdict: Annotated[str, described("Whose error is less, in words.", "the error of ... less")]

    @classmethod
    def of(cls, found: diamond_core.ShadowComparison) -> Self:
        """Return the answer for a comparison."""
        errors = found.errors
        return cls(
            model_id=found.model_id,
            shadow_model_id=found.shadow_model_id,
            since=found.since.isoformat(timespec="microseconds"),
            until=found.until.isoformat(timespec="microseconds"),
            stones=found.stones,
            mean_change=found.mean_change,
            mean_absolute_change=found.mean_absolute_change,
            large_changes=found.large / found.stones,
            outcomes=0 if errors is None else errors.outcomes,
            mae=None if errors is None else errors.old_mae,
            shadow_mae=None if errors is None else errors.new_mae,
            difference=None if errors is None else errors.difference,
            low=None if errors is None else errors.low,
            high=None if errors is None else errors.high,
            significant=errors is not None and errors.is_significant,
            verdict=found.verdict(),
        )


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
    shadows: Annotated[
        list[Shadow], described("Comparisons with shadows, or as a shadow, newest first.", [])
    ]

    @classmethod
    def of(
        cls,
        model_id: str,
        live: diamond_core.LiveErrors | None,
        at: datetime | None,
        shadows: Sequence[diamond_core.ShadowComparison] = (),
    ) -> Self:
        """Return the answer for a model's live errors as of *at*; None: it has none."""
        time = None if at is None else at.isoformat(timespec="microseconds")
        compared = [Shadow.of(each) for each in shadows]
        if live is None:
            nothing = dict.fromkeys(_ERRORS)
            return cls(
                model_id=model_id, at=time, outcomes=0, weeks=[], shadows=compared, **nothing
            )
        total = live.total
        return cls(
            model_id=model_id,
            at=time,
            shadows=compared,
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


class ShadowPrice(Struct, frozen=True):
    """The price that a shadow gave."""

    shadow_model_id: Annotated[str, described("The shadow.", MODEL_ID)]
    shadow_price: Annotated[float, described("Its price, in USD.", 4512.01, gt=0)]


class RecordedPrice(Struct, frozen=True, kw_only=True):
    """A price that was answered, what the model saw, and what became of it."""

    id: Annotated[str, described("The prediction's id.", EXCHANGE_ID)]
    diamond: Annotated[dict[str, Any], described("The stone; unknown measurements are null.", {})]
    price: Annotated[float, described("The price that was answered, in USD.", 4608.99, gt=0)]
    low: Annotated[float, described("The lower end of its range, in USD.", 3851.43, gt=0)]
    high: Annotated[float, described("The upper end of its range, in USD.", 5515.55, gt=0)]
    recomputed: Annotated[
        float, described("The price that the same model gives now, in USD.", 4608.99, gt=0)
    ]
    same: Annotated[bool, described("Whether price and range are the same, to the cent.", True)]
    assumed: Annotated[list[str], described("Measurements that were not given.", ["depth"])]
    outside_training_range: Annotated[
        list[str], described("Numbers outside the training range.", [])
    ]
    outcomes: Annotated[
        list[Outcome], described("What was reported to be paid; the last one counts.", [])
    ]
    shadows: Annotated[list[ShadowPrice], described("What shadows would have answered.", [])]
    explanation: Annotated[
        Explanation | UnsetType,
        described("Why the model gives this price now; present only if that was asked for."),
    ] = UNSET


class RecordedPrices(Struct, frozen=True, kw_only=True):
    """The prices of a recorded exchange, computed again with the model that priced them."""

    id: Annotated[str, described("The exchange's id.", EXCHANGE_ID)]
    model_id: Annotated[str, described("The model.", MODEL_ID)]
    same: Annotated[bool, described("Whether all prices are the same, to the cent.", True)]
    count: Annotated[int, described("How many prices the exchange has.", 1, ge=1)]
    prices: Annotated[
        list[RecordedPrice], described(f"The first {SHOWN_PRICES} of them, in their order.", [])
    ]

    @classmethod
    def of(
        cls,
        found: diamond_core.RecomputedExchange,
        outcomes: Sequence[diamond_core.Outcome],
        shadows: Sequence[diamond_core.ShadowPrice],
    ) -> Self:
        """Return the answer for a recomputed exchange, and what is known about its predictions."""
        return cls(
            id=found.id,
            model_id=found.model,
            same=found.same,
            count=len(found.stones),
            prices=[
                RecordedPrice(
                    id=each.id,
                    diamond=to_plain(each.diamond),
                    price=each.recorded.price,
                    low=each.recorded.low,
                    high=each.recorded.high,
                    recomputed=each.recomputed.price,
                    same=each.same,
                    assumed=list(each.assumed),
                    outside_training_range=list(each.outside),
                    outcomes=[Outcome.of(one) for one in outcomes if one.id == each.id],
                    shadows=[
                        ShadowPrice(one.shadow_model_id, one.shadow_price)
                        for one in shadows
                        if one.id == each.id
                    ],
                    explanation=UNSET
                    if each.explanation is None
                    else Explanation.of(each.explanation),
                )
                for each in found.stones[:SHOWN_PRICES]
            ],
        )


_ERRORS: Final = ("mae", "mae_low", "mae_high", "bias", "relative_bias", "mape", "coverage")


def _errors(error: diamond_core.LiveError, names: Sequence[str]) -> dict[str, float]:
    return {name: getattr(error, name) for name in names}
