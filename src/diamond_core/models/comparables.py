"""What was paid for comparable stones, beside a predicted price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from diamond_core.models.model_card import DataSummary
from diamond_core.stones.diamond_table import DiamondTable, Floats

COMPARED: Final = 5
"""How many stones a price is compared with."""
MINIMUM: Final = 3
"""Fewer stones say too little to contradict a price."""

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparables:
    """The nearest stones that were sold, and what they say about a predicted price.

    Attributes:
        stones: the stones with what was paid for them, at most ``COMPARED``.
        same_grades: whether all are of the stone's own cut, color and clarity.
        price, low, high: the predicted price and the ends of its range, in USD.
        expected: the median of their prices, brought to the stone, in USD: each times the model's
            price of the stone over that of the other. None if there are none.
        level_has_moved: whether some of the training stones were sold at another level of prices.
        agrees: whether *expected* is in the price range. None: they are fewer than ``MINIMUM``, or
            their level of prices may be another one.
    """

    stones: DiamondTable
    same_grades: bool
    price: float
    low: float
    high: float
    expected: float | None
    level_has_moved: bool
    agrees: bool | None

    @property
    def lowest(self) -> float | None:
        """The lowest price that was paid, in USD; None if there are no stones."""
        return float(self.stones.price.min()) if len(self.stones) else None

    @property
    def highest(self) -> float | None:
        """The highest one."""
        return float(self.stones.price.max()) if len(self.stones) else None

    @property
    def position(self) -> Literal["below", "within", "above"] | None:
        """Where the predicted price is: 'below', 'within' or 'above' them; None without stones."""
        if self.lowest is None or self.highest is None:
            return None
        if self.price < self.lowest:
            return "below"
        return "above" if self.price > self.highest else "within"

    def sentence(self) -> str:
        """Return in words where the predicted price is among them."""
        if self.lowest is None or self.highest is None:
            return "The training data has no stone to compare this price with."
        count = len(self.stones)
        nearest = f"The {_NUMBERS[count]} nearest" if count > 1 else "The nearest stone"
        grades = "the same grades" if self.same_grades else "the same or neighbouring grades"
        carats = _span(f"{self.stones.carat.min():.2f}", f"{self.stones.carat.max():.2f}")
        if self.lowest == self.highest:
            sold = f"sold for ${self.lowest:,.0f}"
        else:
            sold = f"sold between ${self.lowest:,.0f} and ${self.highest:,.0f}"
        where = {
            "below": "below that",
            "within": "within that range" if self.lowest < self.highest else "the same",
            "above": "above that",
        }[self.position or "within"]
        more = ""
        if self.level_has_moved:
            more = " Prices have moved since some of the training stones were sold."
        elif self.position != "within" and self.expected is not None:
            more = f" Brought to this stone, that is about ${self.expected:,.0f}."
        return f"{nearest} of {grades} ({carats} ct) {sold}; this price is {where}.{more}"

    def warning(self) -> str:
        """Return in one sentence that they contradict the price, or ''."""
        if self.agrees is not False or self.expected is None:
            return ""
        side = "above" if self.expected > self.high else "below"
        return (
            "The prediction and the comparable stones disagree: brought to this stone, what they sold"
            f" for is about ${self.expected:,.0f}, {side} the price range."
        )


def compare_with_sold(
    stones: DiamondTable,
    model_prices: Floats,
    *,
    same_grades: bool,
    price: float,
    low: float,
    high: float,
    data: DataSummary,
) -> Comparables:
    """Compare a predicted price with what was paid for n stones of the training data *data*.

    *model_prices* are the model's prices of these stones, in USD, shape (n,). For the others see
    ``Comparables``.
    """
    expected = agrees = None
    if len(stones):
        expected = round(float(np.median(stones.price * price / model_prices)), 2)
        if len(stones) >= MINIMUM and not data.level_has_moved:
            agrees = low <= expected <= high
    return Comparables(
        stones=stones,
        same_grades=same_grades,
        price=price,
        low=low,
        high=high,
        expected=expected,
        level_has_moved=data.level_has_moved,
        agrees=agrees,
    )


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
