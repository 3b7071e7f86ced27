"""A model's errors on stones that it was not trained on, and the comparison of two models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.price_ranges import PriceRanges
from diamond_core.stones.diamond_table import DiamondTable, Floats

RESAMPLES: Final = 1000
NORMAL_QUANTILE: Final = 1.959964
"""How many standard deviations 95 % of a normal distribution extend to each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Errors of predicted prices against actual ones.

    Attributes:
        mae: mean absolute error, USD.
        rmse: root mean squared error, USD.
        mape: mean absolute percentage error, as a fraction (0.1 is 10 %).
        r2: coefficient of determination.
        worst_decile: the largest mean absolute error among ten equally large groups by
            actual price, USD.
    """

    mae: float
    rmse: float
    mape: float
    r2: float
    worst_decile: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A model's predictions for stones of known price, for its card, report and comparison.

    Attributes:
        stones: n stones, n above 0, that the model was not trained on.
        predicted: the predicted prices in USD, shape (n,).
        low, high: the ends of their price ranges in USD, shape (n,).
    """

    stones: DiamondTable
    predicted: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(
        cls,
        stones: DiamondTable,
        predicted: Floats,
        ranges: PriceRanges,
        gaps: Floats | float = 0.0,
    ) -> Self:
        """Return the evaluation of *predicted* prices with their *ranges*.

        *gaps* are the ``Support.gaps`` of the stones.
        """
        low, high = ranges.of_table(stones, predicted, gaps)
        return cls(stones=stones, predicted=predicted, low=low, high=high)

    @property
    def absolute_errors(self) -> Floats:
        """Each stone's absolute error in USD, shape (n,)."""
        return np.abs(self.predicted - self.stones.price)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether each stone's actual price is in its range, shape (n,)."""
        covered: NDArray[np.bool_] = (self.low <= self.stones.price) & (
            self.stones.price <= self.high
        )
        return covered

    def metrics(self) -> Metrics:
        """Return the errors over all stones."""
        return metrics_of(self.stones.price, self.predicted)

    def coverage_by(self, prices: Floats) -> tuple[float, ...]:
        """Return the coverage in five equally large groups by *prices*, cheapest first."""
        return tuple(mean_by_quantile(self.covered, prices))


def metrics_of(actual: Floats, predicted: Floats) -> Metrics:
    """Compare *predicted* with *actual* prices, both USD and of shape (n,), n above 0."""
    errors = predicted - actual
    absolute = np.abs(errors)
    spread = float(((actual - actual.mean()) ** 2).sum())
    return Metrics(
        mae=float(absolute.mean()),
        rmse=float(np.sqrt((errors**2).mean())),
        mape=float((absolute / actual).mean()),
        r2=1.0 - float((errors**2).sum()) / spread if spread else 0.0,
        worst_decile=max(mean_by_quantile(absolute, actual, 10)),
    )


def mean_by_quantile(values: NDArray[Any], by: Floats, count: int = 5) -> list[float]:
    """Return the means of *values* in *count* equally large groups, lowest *by* first.

    If there are fewer values than *count*, each value is a group.
    """
    groups: Sequence[NDArray[Any]] = np.array_split(
        values[np.argsort(by, kind="stable")], min(count, len(by))
    )
    return [float(group.mean()) for group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A challenger's mean absolute error minus the champion's on the same stones, in USD.

    ``low`` and ``high`` are its 95 % confidence interval: a paired bootstrap over distinct stones,
    with the percentiles that the expanded interval takes for few stones (Hesterberg, 2015, What
    Teachers Should Know About the Bootstrap, section 5.3).
    """

    champion: str
    champion_mae: float
    difference: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the challenger's error is significantly lower."""
        return self.high < 0.0


def compare(
    champion: str, of_champion: Evaluation, of_challenger: Evaluation, *, seed: int = 0
) -> Comparison:
    """Compare two models' predictions for the same stones; *champion* is the id of the first."""
    errors = of_champion.absolute_errors
    differences = of_challenger.absolute_errors - errors
    # equal stones say the same: they are drawn together
    _, stones = np.unique(of_champion.stones.stone_hashes(), return_inverse=True)
    sums, counts = np.bincount(stones, differences), np.bincount(stones)
    random = np.random.default_rng(seed)
    size = len(sums)
    means = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        drawn = random.integers(0, size, size)
        means[number] = sums[drawn].sum() / counts[drawn].sum()
    tail = _expanded_tail(size)
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Comparison(
        champion=champion,
        champion_mae=float(errors.mean()),
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
    )


def student_quantile(freedom: float) -> float:
    """Return how many standard errors a two-sided 95 % interval of a mean extends to each side.

    That is Student's quantile, by Abramowitz and Stegun, 26.7.5; *freedom* is above 0.
    """
    z = NORMAL_QUANTILE
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _expanded_tail(size: int) -> float:
    """Return the share below a 95 % interval of the mean of *size* values, 0.025 for many."""
    if size < 2:
        return 0.0
    return 0.5 * erfc(student_quantile(size - 1) * sqrt(size / (size - 1)) / sqrt(2.0))
