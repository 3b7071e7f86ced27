"""Similar stones: same cut, color and clarity, nearest weight first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import GRADED, GRADES

_CUTS, _COLORS, _CLARITIES = (GRADES[name].numbers for name in GRADED)
_SIZES: Final = (len(_CUTS), len(_COLORS), len(_CLARITIES))
_GROUPS: Final = len(_CUTS) * len(_COLORS) * len(_CLARITIES)


@dataclass(frozen=True, slots=True)
class Similar:
    """The stones most similar to one stone.

    Attributes:
        stones: nearest weight first.
        carat_differences: each stone's weight minus the requested weight, in carats.
        available: the total number of stones of this cut, color and clarity.
        price_distances: for stones of neighbouring grades, how far each is in price terms, nearest
            first; see ``price_distances``. None: all are of the same grades.
    """

    stones: DiamondTable
    carat_differences: list[float]
    available: int
    price_distances: list[float] | None = None


def sorted_samples(table: DiamondTable) -> DiamondTable:
    """Return the stones in the order that ``SimilarStones`` needs: by grades, then by weight.

    Stones of the same weight are ordered by their hash, so that no price is preferred.
    """
    grades = (table.column(name).astype(np.int64) for name in GRADED)
    order = np.lexsort((table.price, table.stone_hashes(), table.carat, _group(*grades)))
    return table[order]


class SimilarStones:
    """An index over stones in the order of ``sorted_samples``, which can be memory-mapped.

    Building it reads a few hundred rows, and a lookup a few dozen, for any number of stones.
    """

    def __init__(self, samples: DiamondTable) -> None:
        self._samples = samples
        self._carats = samples.carat
        self._starts = _group_starts(samples)

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def stones(self) -> DiamondTable:
        """All stones, in the order of ``sorted_samples``."""
        return self._samples

    def nearest(self, diamond: Diamond, n: int) -> Similar:
        """Return the *n* stones of the same grades that are nearest in weight, or fewer.

        Of two equally near stones, the lighter comes first; for the same weight, the order of the
        samples decides.
        """
        group = _group(_CUTS[diamond.cut], _COLORS[diamond.color], _CLARITIES[diamond.clarity])
        start, stop = self._starts[group], self._starts[group + 1]
        middle = bisect_left(self._carats, diamond.carat, start, stop)
        lighter = self._lighter(start, middle, n)
        heavier = range(middle, min(middle + n, stop))
        # For the usual small n, lists are faster than arrays.
        found = [
            (weight - diamond.carat, position)
            for positions in (lighter, heavier)
            for position, weight in zip(positions, self._weights(positions), strict=True)
        ]
        found.sort(key=lambda each: abs(each[0]))
        del found[n:]
        return Similar(
            self._samples[np.array([position for _, position in found], dtype=np.intp)],
            [round(difference, 6) for difference, _ in found],
            stop - start,
        )

    def around(self, diamond: Diamond, n: int) -> tuple[NDArray[np.intp], int]:
        """Return the positions of stones of the same or neighbouring grades, and how many there are.

        In each cut, color and clarity, the grades are within one step; within more if they have
        fewer than *n* stones. Of each group, the *n* nearest lighter and the *n* nearest heavier
        stones are returned, in no order.
        """
        asked = (_CUTS[diamond.cut], _COLORS[diamond.color], _CLARITIES[diamond.clarity])
        for steps in range(1, max(_SIZES)):
            groups = _groups_within(asked, steps)
            available = sum(self._starts[group + 1] - self._starts[group] for group in groups)
            if available >= n:
                break
        found: list[int] = []
        for group in groups:
            start, stop = self._starts[group], self._starts[group + 1]
            if start < stop:
                middle = bisect_left(self._carats, diamond.carat, start, stop)
                found += self._lighter(start, middle, n)
                found += range(middle, min(middle + n, stop))
        return np.array(found, dtype=np.intp), available

    def _weights(self, positions: range | list[int]) -> list[float]:
        if isinstance(positions, range):
            weights: list[float] = self._carats[positions.start : positions.stop].tolist()
        else:
            weights = self._carats[positions].tolist()
        return weights

    def _lighter(self, start: int, middle: int, n: int) -> range | list[int]:
        """Return the positions of the *n* next lighter stones; equal weights keep their order."""
        cut = max(start, middle - n)
        if cut in (start, middle) or self._carats[cut - 1] != self._carats[cut]:
            return range(cut, middle)
        # Stones of the lightest weight also exist before the cut: take the first of them.
        weight = self._carats[cut]
        run_start = bisect_left(self._carats, weight, start, cut)
        run_stop = bisect_right(self._carats, weight, cut, middle)
        return [*range(run_start, run_start + run_stop - cut), *range(run_stop, middle)]


def _group(cut: Any, color: Any, clarity: Any) -> Any:
    """Return the number of a group, or for arrays of grade numbers the numbers of many groups."""
    return (cut * len(_COLORS) + color) * len(_CLARITIES) + clarity


def _groups_within(grades: tuple[int, int, int], steps: int) -> list[int]:
    """Return the groups whose grades are within so many steps of *grades*, ascending."""
    near = (
        range(max(grade - steps, 0), min(grade + steps + 1, size))
        for grade, size in zip(grades, _SIZES, strict=True)
    )
    return [_group(*each) for each in product(*near)]


class _GroupNumbers:
    """The group numbers of sorted samples, read row by row, for a binary search."""

    def __init__(self, samples: DiamondTable) -> None:
        self._rows = samples.rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> int:
        row = self._rows[index]
        number: int = _group(int(row["cut"]), int(row["color"]), int(row["clarity"]))
        return number


def _group_starts(samples: DiamondTable) -> list[int]:
    """Return the start of each group, and the end, by binary searches without a full scan."""
    numbers = _GroupNumbers(samples)
    starts = [0]
    for group in range(1, _GROUPS):
        starts.append(bisect_left(numbers, group, starts[-1]))
    return [*starts, len(samples)]
