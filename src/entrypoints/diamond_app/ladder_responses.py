"""The answers about the prices around a stone; see ``responses``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from msgspec import Struct

from diamond_app.responses import STONE, ModelName, PriceRange, described
from diamond_core.codec import to_plain

if TYPE_CHECKING:
    import diamond_core


class LadderStep(Struct, frozen=True, kw_only=True):
    """The price of a stone that differs in one field."""

    field: Annotated[str, described("The field that differs.", "color")]
    value: Annotated[str | float, described("Its value: a grade, or a weight in carats.", "G")]
    diamond: Annotated[
        dict[str, Any], described("The changed stone; unknown values are null.", STONE)
    ]
    price: Annotated[float, described("The price, in USD.", 5012.4, gt=0)]
    price_range: PriceRange
    difference: Annotated[
        float, described("The price minus that of the unchanged stone, in USD.", 403.41)
    ]
    difference_share: Annotated[
        float, described("The same as a share of the unchanged stone's price.", 0.0875)
    ]

    @classmethod
    def of(cls, step: diamond_core.Step, coverage: float, **more: Any) -> Self:
        """Return the answer for a step."""
        return cls(
            field=step.field,
            value=step.value,
            diamond=to_plain(step.stone),
            price=step.price,
            price_range=PriceRange(step.low, step.high, coverage),
            difference=step.difference,
            difference_share=step.difference_share,
            **more,
        )


class LadderWeight(LadderStep, frozen=True, kw_only=True):
    """The price at a trade weight, and how it jumps there."""

    carat_below: Annotated[float, described("The weight just below, in carats.", 0.99)]
    price_below: Annotated[float, described("The price at that weight, in USD.", 4020.5, gt=0)]
    jump: Annotated[
        float, described("What the last hundredth of a carat adds to the price, in USD.", 212.3)
    ]
    jump_share: Annotated[float, described("The same as a share of the price just below.", 0.0528)]


class GradeNeighbours(Struct, frozen=True):
    """One grade better and one worse; null at the end of the scale."""

    up: Annotated[LadderStep | None, described("One grade better.")]
    down: Annotated[LadderStep | None, described("One grade worse.")]

    @classmethod
    def of(cls, steps: diamond_core.GradeSteps, coverage: float) -> Self:
        """Return the answer for the steps of a grade."""
        return cls(
            *(
                None if step is None else LadderStep.of(step, coverage)
                for step in (steps.up, steps.down)
            )
        )


class CurvePoint(Struct, frozen=True):
    """The price at a weight."""

    carat: Annotated[float, described("The weight, in carats.", 1.05, gt=0)]
    price: Annotated[float, described("The price, in USD.", 4300.2, gt=0)]
    low: Annotated[float, described("The lower end of its range, in USD.", 3600.0, gt=0)]
    high: Annotated[float, described("The upper end of its range, in USD.", 5150.0, gt=0)]


class Comparables(Struct, frozen=True, kw_only=True):
    """What was paid for the nearest stones, beside the predicted price."""

    count: Annotated[int, described("How many stones these are, at most 5.", 5, ge=0)]
    same_grades: Annotated[
        bool,
        described("Whether all have the stone's cut, color and clarity; else, near ones.", True),
    ]
    lowest: Annotated[float | None, described("The lowest price paid, in USD.", 4020.0)]
    highest: Annotated[float | None, described("The highest price paid, in USD.", 5100.0)]
    position: Annotated[
        Literal["below", "within", "above"] | None,
        described("Where the predicted price is among them; null: there are none.", "within"),
    ]
    expected: Annotated[
        float | None,
        described(
            "The median of their prices, each times the model's price of this stone over that of"
            " the other, in USD.",
            4590.0,
        ),
    ]
    agrees: Annotated[
        bool | None,
        described(
            "Whether that is in the price range; null: they are too few, or of other levels of"
            " prices, to say.",
            True,
        ),
    ]
    sentence: Annotated[
        str, described("The position in words.", "The five nearest ... this price is within.")
    ]
    warning: Annotated[str, described("What to know if they disagree; else empty.", "")]

    @classmethod
    def of(cls, found: diamond_core.Comparables) -> Self:
        """Return the answer for comparables."""
        return cls(
            count=len(found.stones),
            same_grades=found.same_grades,
            lowest=found.lowest,
            highest=found.highest,
            position=found.position,
            expected=found.expected,
            agrees=found.agrees,
            sentence=found.sentence(),
            warning=found.warning(),
        )


class Ladder(Struct, frozen=True, kw_only=True):
    """The prices around a stone: other grades, other weights."""

    diamond: Annotated[dict[str, Any], described("The stone; unknown values are null.", STONE)]
    price: Annotated[float, described("Its predicted price, in USD.", 4608.99, gt=0)]
    currency: Annotated[Literal["USD"], described("Always USD.", "USD")]
    price_range: PriceRange
    grades: Annotated[
        dict[str, GradeNeighbours], described("The neighbouring grades, by field: cut, color, ...")
    ]
    weights: Annotated[
        list[LadderWeight],
        described(
            "The neighbouring weights at which the trade's prices step up, ascending, and the"
            " stone's own if it is one. Its x, y and z scale with the weight."
        ),
    ]
    curve: Annotated[
        list[CurvePoint], described("The price over the weight, ascending, for a plot.")
    ]
    comparables: Comparables
    model: ModelName

    @classmethod
    def of(cls, found: diamond_core.Ladder) -> Self:
        """Return the answer for a ladder."""
        coverage = found.card.price_ranges.coverage
        return cls(
            diamond=to_plain(found.diamond),
            price=found.price,
            currency="USD",
            price_range=PriceRange(found.low, found.high, coverage),
            grades={
                name: GradeNeighbours.of(each, coverage) for name, each in found.grades.items()
            },
            weights=[
                LadderWeight.of(
                    each,
                    coverage,
                    carat_below=each.carat_below,
                    price_below=each.price_below,
                    jump=each.jump,
                    jump_share=each.jump_share,
                )
                for each in found.weights
            ],
            curve=[CurvePoint(each.carat, each.price, each.low, each.high) for each in found.curve],
            comparables=Comparables.of(found.comparables),
            model=ModelName.of(found.card),
        )
