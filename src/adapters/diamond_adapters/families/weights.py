"""The stones' weights, shape (n,), or None if all stones have the same weight."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from diamond_core.stones.diamond_table import Floats

Weights = Floats | None


def of_mean_one(weights: Weights) -> Weights:
    """Return the weights scaled to a mean of 1, so that penalties keep their strength."""
    return None if weights is None else weights / weights.mean()


def at(weights: Weights, rows: NDArray[Any] | slice) -> Weights:
    """Return the weights of some *rows*."""
    return None if weights is None else weights[rows]


def times(values: Floats, weights: Weights) -> Floats:
    """Return each stone's value times its weight."""
    return values if weights is None else values * weights
