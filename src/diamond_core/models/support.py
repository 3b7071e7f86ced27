"""Where a model's training stones are: how wide the gap in known prices around a stone is.

A better or heavier stone is worth at least as much. So a stone's price lies between that of the
known stones that are nowhere better and that of those that are nowhere worse. The gap between the
nearest of them, in log price, says what the data leaves open about a *combination* of weight and
grades, however common each of them is alone. Where no stone is known on one side, the price is
extrapolated, and that side counts as ``OPEN_SIDE``.

Distances are along the axes: what a step of weight, cut, color or clarity adds to the log price of
the training stones on average. A single stone can be an error, so the distance of n stones is a
soft minimum that needs about ``ENOUGH`` of them: h log(ENOUGH / sum(exp(-distance / h))).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import FieldProblem
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import GRADES, REQUIRED

OPEN_SIDE: Final = 0.5
"""The distance, in log price, to the known stones of a side where there are none."""
ENOUGH: Final = 3.0
FEW: Final = OPEN_SIDE
"""From a gap this much wider than the usual one on, a combination was not seen in training."""
REACH: Final = 2.0
"""A stone is priced up to this times the heaviest known weight, and down to the lightest / this."""

_SOFTNESS: Final = 0.02
_STEP: Final = 0.02
"""Of the grid, in log carat."""
_GRADES: Final = tuple(name for name in REQUIRED if name in GRADES)
_MINIMUM_EFFECTS: Final = {"carat": 0.5}
_MINIMUM_EFFECT: Final = 0.01

Effects = Mapping[str, float]
"""What one unit of log carat, and one step of each grade, adds to the log price."""


def effects_of(table: DiamondTable) -> dict[str, float]:
    """Return the mean effects in *table*, by least squares; none is below zero."""
    columns = [np.ones(len(table)), np.log(table.carat)]
    columns += [table.column(name).astype(np.float64) for name in _GRADES]
    slopes = np.linalg.lstsq(np.column_stack(columns), np.log(table.price), rcond=None)[0][1:]
    return {
        name: max(round(float(slope), 6), _MINIMUM_EFFECTS.get(name, _MINIMUM_EFFECT))
        for name, slope in zip(("carat", *_GRADES), slopes, strict=True)
    }


class Support:
    """The gaps around all weights and grades, computed once from the training stones.

    Args:
        table: the training stones, in any order.
        effects: see ``effects_of``.

    Attributes:
        carats: the weights between which stones are priced at all; beyond them nothing is known.
    """

    def __init__(self, table: DiamondTable, effects: Effects) -> None:
        self.effects = effects
        lightest, heaviest = float(table.carat.min()), float(table.carat.max())
        self.carats = lightest / REACH, heaviest * REACH
        below, above = (
            int(np.ceil(log(ratio) / _STEP)) for ratio in (REACH, self.carats[1] / lightest)
        )
        self._first, self._last = log(lightest) - below * _STEP, below + above
        shape = (self._last + 1, *(len(GRADES[name].grades) for name in _GRADES))
        cells = np.ravel_multi_index(self._cells(table), shape)
        self._counts = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)
        lower, upper = self._others()
        self._gaps = _distances(lower + self._counts) + _distances(upper + self._counts)

    def refusal(self, carat: float) -> FieldProblem | None:
        """Return why a stone of this weight is not priced: nothing is known of any like it."""
        lowest, highest = self.carats
        if lowest <= carat <= highest:
            return None
        return FieldProblem(
            "carat",
            f"must be from {lowest:g} to {highest:g} to be priced: the known stones weigh"
            f" {lowest * REACH:g} to {highest / REACH:g} carats, and nothing is known of stones so far"
            " from them",
        )

    def refused(self, carats: Floats) -> NDArray[np.bool_]:
        """Return which weights have a ``refusal``, shape (n,)."""
        lowest, highest = self.carats
        found: NDArray[np.bool_] = (carats < lowest) | (carats > highest)
        return found

    def gap(self, diamond: Diamond) -> float:
        """Return the gap in log price around one stone, 0 where enough are known."""
        place = round((log(diamond.carat) - self._first) / _STEP)
        numbers = (GRADES[name].numbers[getattr(diamond, name)] for name in _GRADES)
        return float(self._gaps[(min(max(place, 0), self._last), *numbers)])

    def gaps(self, table: DiamondTable) -> Floats:
        """Return the gap of each stone, shape (n,)."""
        found: Floats = self._gaps[self._cells(table)]
        return found

    def gaps_without(self, table: DiamondTable) -> Floats:
        """Return the gap of each of some training stones as if it and its copies were not known."""
        cells = self._cells(table)
        _, which, copies = np.unique(table.stone_hashes(), return_inverse=True, return_counts=True)
        here = self._counts[cells] - copies[which]
        lower, upper = self._others()
        return _distances(lower[cells] + here) + _distances(upper[cells] + here)

    def _others(self) -> tuple[Floats, Floats]:
        """Return the soft counts of both sides, see ``_soft_counts``."""
        steps = [self.effects["carat"] * _STEP, *(self.effects[name] for name in _GRADES)]
        return _soft_counts(self._counts, steps, 1), _soft_counts(self._counts, steps, -1)

    def _cells(self, table: DiamondTable) -> tuple[NDArray[np.intp], ...]:
        places = np.rint((np.log(table.carat) - self._first) / _STEP)
        numbers = (table.column(name).astype(np.intp) for name in _GRADES)
        return np.clip(places, 0, self._last).astype(np.intp), *numbers


def _soft_counts(counts: NDArray[np.intp], steps: list[float], side: int) -> Floats:
    """Return for each cell the sum of exp(-distance / h) over the stones of one side elsewhere.

    With *side* 1 these are the stones that are nowhere better, with -1 those nowhere worse. The
    distance is a sum over the axes, so each axis is one matrix product. Stones of the cell itself
    are left out, so that no small sum is lost in the rounding of a large one.
    """
    others = np.zeros(counts.shape)
    for axis, step in enumerate(steps):
        numbers = np.arange(counts.shape[axis])
        better = side * np.subtract.outer(numbers, numbers)
        weights = np.where(better > 0, np.exp(-np.abs(better) * step / _SOFTNESS), 0.0)
        moved = np.tensordot(weights, others + counts, axes=(1, axis))
        others += np.moveaxis(moved, 0, axis)
    return others


def _distances(soft_counts: Floats) -> Floats:
    """Return the distance to the stones of one side, ``OPEN_SIDE`` if there are none."""
    known = soft_counts > 1e-300
    found = _SOFTNESS * np.log(ENOUGH / np.where(known, soft_counts, ENOUGH))
    distances: Floats = np.where(known, np.maximum(found, 0.0), OPEN_SIDE)
    return distances
