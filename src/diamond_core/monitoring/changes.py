"""The changes between two prices of the same stones, and the errors of both: sums over any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.evaluation import student_quantile
from diamond_core.stones.diamond_table import Floats

LARGE: Final = 0.05
"""The relative change above which a change is large."""
COLUMNS: Final = 5
"""The number of columns of ``change_columns``."""

_CENT: Final = 0.005
_MINIMUM_OUTCOMES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How the prices of some stones change.

    Attributes:
        stones: the number of stones.
        changed: the number of those whose price changes by a cent or more.
        large: the number of those whose price changes by more than ``LARGE``.
        mean_change: the mean of new / old - 1 over all stones; 0 without stones.
        mean_absolute_change: the mean of its absolute value.
    """

    stones: int
    changed: int
    large: int
    mean_change: float
    mean_absolute_change: float


@dataclass(frozen=True, slots=True)
class ChangedErrors:
    """The errors of both, in USD, on the n stones whose paid price is known.

    Attributes:
        outcomes: n, above 0.
        old_mae, new_mae: the mean absolute errors.
        old_bias, new_bias: the means of predicted minus paid price.
        difference: new_mae - old_mae.
        low, high: its 95 % interval, by Student's t of the paired differences.
    """

    outcomes: int
    old_mae: float
    new_mae: float
    old_bias: float
    new_bias: float
    difference: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than noise."""
        return self.outcomes >= _MINIMUM_OUTCOMES and not self.low <= 0.0 <= self.high


def change_columns(old: Floats, new: Floats) -> tuple[NDArray[Any], ...]:
    """Return what is added up for ``Changes``, each of shape (n,).

    Args:
        old: the first prices of n stones in USD.
        new: the second ones.
    """
    change = new / old - 1.0
    size = np.abs(change)
    return np.ones(len(old)), np.abs(new - old) > _CENT, size > LARGE, change, size


def changes_of(sums: Floats) -> dict[str, Any]:
    """Return the arguments of ``Changes`` from the sums of ``change_columns``."""
    stones, changed, large, change, size = sums.tolist()
    count = max(stones, 1.0)
    return {
        "stones": int(stones),
        "changed": int(changed),
        "large": int(large),
        "mean_change": change / count,
        "mean_absolute_change": size / count,
    }


class ErrorSums:
    """Adds up the errors of two prices.

    Args:
        paid: the paid price in USD by the id of a prediction.
    """

    def __init__(self, paid: Mapping[str, float]) -> None:
        self._paid = paid
        self._sums = np.zeros(7)

    def add(self, ids: Sequence[str], old: Floats, new: Floats) -> None:
        """Add the predictions with these *ids*, with both prices."""
        if not self._paid:
            return
        nan = float("nan")
        paid = np.array([self._paid.get(id, nan) for id in ids])
        known = ~np.isnan(paid)
        errors = [(prices - paid)[known] for prices in (old, new)]
        maes = [np.abs(each) for each in errors]
        difference = maes[1] - maes[0]
        columns = (*maes, *errors, difference, difference**2)
        self._sums += [known.sum(), *(each.sum() for each in columns)]

    def result(self) -> ChangedErrors | None:
        """Return the errors; None if no paid price is known."""
        count = float(self._sums[0])
        if not count:
            return None
        old_mae, new_mae, old_bias, new_bias, mean, square = (self._sums[1:] / count).tolist()
        half = 0.0
        if count > 1:
            half = student_quantile(count - 1) * sqrt(max(square - mean**2, 0.0) / (count - 1))
        return ChangedErrors(
            int(count), old_mae, new_mae, old_bias, new_bias, mean, mean - half, mean + half
        )
