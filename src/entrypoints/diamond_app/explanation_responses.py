"""The answers about why a stone has its price; see ``responses``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from msgspec import Struct

from diamond_app.responses import STONE, ModelName, PriceRange, described
from diamond_core.codec import to_plain

if TYPE_CHECKING:
    import diamond_core


class Contribution(Struct, frozen=True):
    """What one property adds."""

    name: Annotated[str, described("carat, cut, color, clarity, or measurements.", "carat")]
    amount: Annotated[float, described("What it adds to the price, in USD.", 2811.5)]


class Reference(Struct, frozen=True):
    """The stone that a price is compared with."""

    diamond: Annotated[dict[str, Any], described("The stone; unknown values are null.", STONE)]
    price: Annotated[float, described("Its price, in USD.", 2400.0, gt=0)]
    is_typical: Annotated[
        bool,
        described("Whether it is the median weight and the most common grades of the data.", True),
    ]


class Explanation(Struct, frozen=True):
    """Why a stone has its price: *reference.price* and all amounts add up to *price*."""

    price: Annotated[float, described("The predicted price, in USD.", 4608.99, gt=0)]
    currency: Annotated[Literal["USD"], described("Always USD.", "USD")]
    price_range: PriceRange
    reference: Reference
    contributions: Annotated[
        list[Contribution], described("What each property adds, in this order.", [])
    ]
    sentence: Annotated[str, described("The same in words.", "The typical stone costs $2,400; ...")]
    model: ModelName

    @classmethod
    def of(cls, found: diamond_core.Explanation) -> Self:
        """Return the answer for an explanation."""
        return cls(
            price=found.price,
            currency="USD",
            price_range=PriceRange(found.low, found.high, found.card.price_ranges.coverage),
            reference=Reference(to_plain(found.reference), found.reference_price, found.is_typical),
            contributions=[Contribution(each.name, each.amount) for each in found.contributions],
            sentence=found.sentence(),
            model=ModelName.of(found.card),
        )
