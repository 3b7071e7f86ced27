"""Where a model's training stones are: how wide the gap in known prices around a stone is.

A better or heavier stone is worth at least as much. So a stone's price lies between that of the
known stones that are nowhere better and that of those that are nowhere worse. The gap between the
nearest of them, in log price, says what the data leaves open about a *combination* of weight and
grades, however common each of them is alone. Where no stone is known on one side, the price is
extrapolated, and that side counts as ``OPEN_SIDE``.

Distances are along the axes: what a step of weight, cut, color or clarity adds to the log price of
the training stones on average. A single stone can be an error, so the distance of n stones is a
soft minimum that needs about ``ENOUGH`` of them: h log(ENOUGH / sum(exp(-distance / h))).

Gaps are computed on a grid of log weight and grades. Each stone counts in the two cells around its
weight, in shares by how near it is (linear binning: Wand, 1994, Journal of Computational and
Graphical Statistics 3), and between two cells a gap is interpolated.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, prod
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import FieldProblem, InvalidDiamond
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import GRADED, GRADES

OPEN_SIDE: Final = 0.5
"""The distance, in log price, to the known stones of a side where there are none."""
ENOUGH: Final = 3.0
FEW: Final = OPEN_SIDE
"""From a gap this much wider than the usual one on, too little is known around a stone."""
REACH: Final = 2.0
"""A stone is priced up to this times the heaviest known weight, and down to the lightest / this."""

_SOFTNESS: Final = 0.015
_STEP: Final = 0.08
"""Of the grid, in log carat."""
_DIGITS: Final = 9
"""Of a stone's share in a cell: what is left of a difference of equal numbers is no stone."""
_NUMBERS: Final = tuple(GRADES[name].numbers for name in GRADED)
_GROUPS: Final = prod(map(len, _NUMBERS))
_grades_of: Final = attrgetter(*GRADED)
_MINIMUM_EFFECTS: Final = {"carat": 0.5}
_MINIMUM_EFFECT: Final = 0.01

_Cells = tuple[tuple[NDArray[np.intp], ...], Floats]

Effects = Mapping[str, float]
"""What one unit of log carat, and one step of each grade, adds to the log price."""


def effects_of(table: DiamondTable) -> dict[str, float]:
    """Return the mean effects in *table*, by least squares; none is below zero."""
    columns = [np.ones(len(table)), np.log(table.carat)]
    columns += [table.column(name).astype(np.float64) for name in GRADED]
    slopes = np.linalg.lstsq(np.column_stack(columns), np.log(table.price), rcond=None)[0][1:]
    return {
        name: max(round(float(slope), 6), _MINIMUM_EFFECTS.get(name, _MINIMUM_EFFECT))
        for name, slope in zip(("carat", *GRADED), slopes, strict=True)
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
        shape = (self._last + 1, *(len(GRADES[name].grades) for name in GRADED))
        self._counts = np.zeros(shape)
        for cells, shares in self._cells(table):
            np.add.at(self._counts, cells, shares)
        lower, upper = self._others()
        self._gaps = _distances(lower + self._counts) + _distances(upper + self._counts)
        self._flat: list[float] = self._gaps.ravel().tolist()  # faster for a single stone

    def check(self, diamond: Diamond) -> None:
        """Check that the stone can be priced.

        Raises:
            InvalidDiamond: it has a ``refusal``.
        """
        refusal = self.refusal(diamond.carat)
        if refusal is not None:
            raise InvalidDiamond([refusal])

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
        cell, share = self._cell(diamond)
        return (1.0 - share) * self._flat[cell] + share * self._flat[cell + _GROUPS]

    def gaps(self, table: DiamondTable) -> Floats:
        """Return the gap of each stone, shape (n,)."""
        (lower, below), (upper, above) = self._cells(table)
        gaps: Floats = below * self._gaps[lower] + above * self._gaps[upper]
        return gaps

    def is_seen(self, diamond: Diamond) -> bool:
        """Return whether a stone of the same grades and of about the same weight is known.

        It is if one weighs up to 8 % more or less; if they differ by 18 % or more, it is not.
        """
        cell, _ = self._cell(diamond)
        return bool(self._counts.flat[cell] or self._counts.flat[cell + _GROUPS])

    def are_seen(self, table: DiamondTable) -> NDArray[np.bool_]:
        """Return ``is_seen`` of each stone, shape (n,)."""
        (lower, _), (upper, _) = self._cells(table)
        seen: NDArray[np.bool_] = (self._counts[lower] > 0.0) | (self._counts[upper] > 0.0)
        return seen

    def gaps_without(self, table: DiamondTable) -> Floats:
        """Return the gap of each of some training stones without its own and its copies' part.

        Of each cell, what they count in this cell is left out.
        """
        _, which, copies = np.unique(table.stone_hashes(), return_inverse=True, return_counts=True)
        sides = self._others()
        gaps = np.zeros(len(table))
        for cells, shares in self._cells(table):
            here = np.round(self._counts[cells] - shares * copies[which], _DIGITS)
            gaps += shares * sum(_distances(others[cells] + here) for others in sides)
        return gaps

    def _others(self) -> tuple[Floats, Floats]:
        """Return the soft counts of both sides, see ``_soft_counts``."""
        steps = [self.effects["carat"] * _STEP, *(self.effects[name] for name in GRADED)]
        return _soft_counts(self._counts, steps, 1), _soft_counts(self._counts, steps, -1)

    def _cell(self, diamond: Diamond) -> tuple[int, float]:
        """Return the flat number of the cell below a stone's weight, and how far it is to the next."""
        exact = min(max((log(diamond.carat) - self._first) / _STEP, 0.0), float(self._last))
        cell = place = min(int(exact), self._last - 1)
        for numbers, grade in zip(_NUMBERS, _grades_of(diamond), strict=True):
            cell = cell * len(numbers) + numbers[grade]
        return cell, round(exact - place, _DIGITS)

    def _cells(self, table: DiamondTable) -> tuple[_Cells, _Cells]:
        """Return the cells below and above each stone's weight, each with the stone's share."""
        exact = np.clip((np.log(table.carat) - self._first) / _STEP, 0.0, self._last)
        places = np.minimum(exact.astype(np.intp), self._last - 1)
        numbers = [table.column(name).astype(np.intp) for name in GRADED]
        above = np.round(exact - places, _DIGITS)
        return ((places, *numbers), 1.0 - above), ((places + 1, *numbers), above)


def _soft_counts(counts: Floats, steps: list[float], side: int) -> Floats:
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
