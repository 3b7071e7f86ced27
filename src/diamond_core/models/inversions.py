"""How often a model prices a better stone lower: the share of such steps for each of the 4 Cs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from diamond_core.stones.diamond import Stones
from diamond_core.stones.diamond_table import DiamondTable, Floats, empty_rows
from diamond_core.stones.fields import GRADED, GRADES

CARATS: Final = np.arange(30, 301) / 100.0
"""The weights of the grid, in carats: those of nearly all stones."""
ENOUGH: Final = 20_000
"""How many stones tell the share of inversions to a few tenths of a percent."""

Inversions = Mapping[str, float]
"""For each of the 4 Cs, the share of steps to a better or heavier stone that lower the price."""

Pricer = Callable[[Stones], Floats]
"""Returns a price in USD for each stone, shape (n,)."""


def four_c_inversions(price: Pricer, carats: Floats = CARATS) -> Inversions:
    """Count inversions from the 4 Cs alone, on the grid of *carats* and all grades.

    A step goes to the next weight, or to the next better grade of one field. Prices are compared in
    cents, as they are served.
    """
    grades = [np.arange(len(GRADES[name].grades)) for name in GRADED]
    axes = np.meshgrid(carats, *grades, indexing="ij")
    rows = empty_rows(axes[0].size)
    for name, values in zip(("carat", *GRADED), axes, strict=True):
        rows[name] = values.ravel()
    prices = np.round(price(DiamondTable(rows)), 2).reshape(axes[0].shape)
    return {
        name: float((np.diff(prices, axis=axis) < 0.0).mean())
        for axis, name in enumerate(("carat", *GRADED))
    }


def measured_inversions(price: Pricer, stones: DiamondTable) -> Inversions:
    """Count inversions among *stones* with all that is known of them.

    A step takes one stone to the next better cut, color or clarity; its other fields stay. Of many
    stones, about ``ENOUGH`` are taken, evenly from all of them.
    """
    stones = stones[:: max(len(stones) // ENOUGH, 1)]
    before = np.round(price(stones), 2)
    found = {}
    for name in GRADED:
        rows = stones.rows_of_today()
        better = rows[name] < len(GRADES[name].grades) - 1
        rows[name][better] += 1
        after = np.round(price(DiamondTable(rows)), 2)
        steps = int(better.sum())
        found[name] = float((after < before)[better].sum()) / steps if steps else 0.0
    return found
