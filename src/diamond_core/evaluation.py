"""How good a model is on stones it has not seen, and what it takes to be better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.diamond_table import Floats

RESAMPLES: Final = 1000


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


def evaluate(actual: Floats, predicted: Floats) -> Metrics:
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
    """Return the means of *values* in *count* equally large groups, the least *by* first.

    Of fewer values than *count*, each is a group.
    """
    groups = np.array_split(values[np.argsort(by, kind="stable")], min(count, len(by)))
    return [float(group.mean()) for group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A challenger's mean absolute error less the champion's on the same stones, in USD.

    ``low`` and ``high`` bound it with 95 % confidence (paired bootstrap percentile interval,
    Efron and Tibshirani, 1993, chapter 13).
    """

    champion: str
    champion_mae: float
    difference: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the challenger errs less by more than the noise."""
        return self.high < 0.0


def compare(
    champion: str, actual: Floats, of_champion: Floats, of_challenger: Floats, *, seed: int = 0
) -> Comparison:
    """Compare two models' prices for the same stones; all three arrays are USD, shape (n,)."""
    errors = np.abs(of_champion - actual)
    differences = np.abs(of_challenger - actual) - errors
    random = np.random.default_rng(seed)
    size = len(differences)
    means = np.array([differences[random.integers(0, size, size)].mean() for _ in range(RESAMPLES)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Comparison(
        champion=champion,
        champion_mae=float(errors.mean()),
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
    )
