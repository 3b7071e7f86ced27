"""What if: the stones that differ from a stone by one step, and its price over the weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from diamond_core.models.comparables import Comparables
from diamond_core.models.model_card import ModelCard
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.fields import GRADES
from diamond_core.stones.trade_weights import (
    TRADE_WEIGHTS,
    just_below,
    neighbouring_weights,
)

WEIGHTS_EACH_SIDE: Final = 2
"""How many trade weights below and above a stone's weight are priced."""
_AROUND: Final = 1.25
_EVEN: Final = 41
"""The curve spans at least this factor around a stone's weight, with so many even steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stone that differs from another one in one field, and its price.

    Attributes:
        field: the field that differs.
        value: its value: a grade, or a weight in carats.
        stone: the values of all its fields; None is unknown.
        price, low, high: the price and the ends of its range, in USD.
        difference: the price minus that of the unchanged stone, in USD.
        difference_share: the same as a share of the unchanged stone's price: 0.05 is 5 %.
    """

    field: str
    value: str | float
    stone: Mapping[str, Any]
    price: float
    low: float
    high: float
    difference: float
    difference_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStep(Step):
    """A step to a trade weight, and the jump of the price there.

    Attributes:
        carat_below: the weight just below, in carats.
        price_below: the price of a stone of that weight, in USD.
    """

    carat_below: float
    price_below: float

    @property
    def jump(self) -> float:
        """What the last hundredth of a carat adds to the price, in USD."""
        return round(self.price - self.price_below, 2)

    @property
    def jump_share(self) -> float:
        """The same as a share of the price just below."""
        return round(self.price / self.price_below - 1.0, 4)


@dataclass(frozen=True, slots=True)
class GradeSteps:
    """A better and a worse grade; None at the end of the scale."""

    up: Step | None
    down: Step | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The price of a stone if it weighed *carat*, and the ends of its range, in USD."""

    carat: float
    price: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The prices around a stone.

    Attributes:
        diamond: the stone.
        price, low, high: its price and the ends of its range, in USD.
        grades: the steps of each grade that the stone has, by field.
        weights: the steps to the neighbouring trade weights, ascending, and to the stone's own
            weight if it is one.
        curve: the price over the weight, ascending.
        comparables: what was paid for the nearest stones.
        card: the model's card.
    """

    diamond: Diamond
    price: float
    low: float
    high: float
    grades: Mapping[str, GradeSteps]
    weights: tuple[WeightStep, ...]
    curve: tuple[CurvePoint, ...]
    comparables: Comparables
    card: ModelCard


def grade_neighbours(diamond: Diamond) -> dict[str, tuple[str | None, str | None]]:
    """Return the next better and the next worse grade in each scale, None at its end."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for name, field in GRADES.items():
        grade = getattr(diamond, name)
        if grade is not None:
            number = field.numbers[grade]
            better, worse = field.grades[number + 1 : number + 2], field.grades[:number][-1:]
            found[name] = (better[0] if better else None, worse[0] if worse else None)
    return found


def ladder_weights(carat: float, limits: tuple[float, float]) -> list[float]:
    """Return the trade weights of a ladder, ascending; *limits* are ``Support.carats``."""
    return neighbouring_weights(carat, WEIGHTS_EACH_SIDE, *limits)


def curve_weights(carat: float, limits: tuple[float, float]) -> list[float]:
    """Return the weights of a curve, ascending.

    They are even on a log scale; where the trade's price jumps, both sides of the jump are added.
    """
    jumps = [each for weight in TRADE_WEIGHTS for each in (just_below(weight), weight)]
    steps = ladder_weights(carat, limits)
    ends = [carat / _AROUND, carat * _AROUND, *steps, *map(just_below, steps)]
    low, high = max(min(ends), limits[0]), min(max(ends), limits[1])
    even = np.round(np.geomspace(low, high, _EVEN), 4).tolist()
    return sorted({each for each in (*even, *jumps, carat) if low <= each <= high})
