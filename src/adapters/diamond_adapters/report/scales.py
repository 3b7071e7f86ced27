"""From values to places on a chart, and the round values to mark there."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import ArrayLike

from diamond_core.stones.diamond_table import Floats


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from ``low`` to ``high`` to places from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def of(
        cls, values: ArrayLike, start: float, end: float, *, log: bool = False, margin: float = 0.0
    ) -> Scale:
        """Return a scale of all *values*; *margin* is a share of it to leave free at both ends."""
        array = np.asarray(values, dtype=np.float64)
        low, high = float(array.min()), float(array.max())
        if not low < high:
            low, high = (low / 2, high * 2) if log and low > 0 else (low - 1, high + 1)
        if log:
            room = (high / low) ** margin
            return cls(low / room, high * room, start, end, log)
        return cls(low - margin * (high - low), high + margin * (high - low), start, end, log)

    def __call__(self, value: float) -> float:
        """Return the place of one value, to a tenth of a pixel."""
        return float(self.places(value))

    def places(self, values: ArrayLike) -> Floats:
        """Return the places of many values."""
        array = np.asarray(values, dtype=np.float64)
        if self.log:
            share = np.log(array / self.low) / np.log(self.high / self.low)
        else:
            share = (array - self.low) / (self.high - self.low)
        places: Floats = np.round(self.start + share * (self.end - self.start), 1)
        return places

    def edges(self, count: int) -> Floats:
        """Return the *count* + 1 edges of intervals that look equally wide."""
        space = np.geomspace if self.log else np.linspace
        return space(self.low, self.high, count + 1)

    def ticks(self, maximum: int = 7) -> list[float]:
        """Return round values on the scale, no more than about *maximum*."""
        if self.log:
            powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
            for steps in ((1, 2, 5), (1, 3), (1,)):
                found = [step * 10.0**power for power in powers for step in steps]
                found = [value for value in found if self.low <= value <= self.high]
                if len(found) <= maximum:
                    break
            return found
        rough = (self.high - self.low) / maximum
        unit = 10.0 ** floor(log10(rough))
        step = next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def dollars(value: float) -> str:
    """Return a short text such as $850, $2k or $12.5k."""
    if abs(value) < 1000:
        return f"${value:,.0f}" if abs(value) >= 1 or value == 0 else f"${value:.2g}"
    if abs(value) < 1_000_000:
        return f"${value / 1000:,.3g}k"
    return f"${value / 1_000_000:,.3g}M"


def percent(value: float) -> str:
    """Return a fraction as a short text such as 8.5%."""
    return f"{value * 100:.3g}%"
