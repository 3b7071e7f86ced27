"""The weights at which the trade's price for a carat steps up: the magic sizes."""

from __future__ import annotations

from typing import Final

TRADE_WEIGHTS: Final = (0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""In carats, ascending. Price lists of the trade have a table for each class of weights (such as
0.90 to 0.99 and 1.00 to 1.49 ct): these are where the customary classes and half classes begin."""

WEIGHT_STEP: Final = 0.01
"""The trade weighs to a hundredth of a carat."""


def just_below(carat: float) -> float:
    """Return the next lower weight of the trade's scales, in carats."""
    return round(carat - WEIGHT_STEP, 2)


def neighbouring_weights(carat: float, each_side: int, low: float, high: float) -> list[float]:
    """Return the trade weights next to *carat*, ascending, and *carat* itself if it is one.

    There are at most *each_side* below and above. Each of them, and the weight just below it, is
    between *low* and *high*, in carats.
    """
    possible = [each for each in TRADE_WEIGHTS if low <= just_below(each) and each <= high]
    lower = [each for each in possible if each < carat]
    higher = [each for each in possible if each > carat]
    same = [each for each in possible if each == carat]
    return lower[-each_side:] + same + higher[:each_side]
