"""The base under the trees: log price by weight and grades, in order by bounds on its slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.features import POSITIONS
from diamond_adapters.families.linear.design import KNOTS, Matrix
from diamond_adapters.families.linear.sums import chunks
from diamond_adapters.families.price_table import MINIMUM_SLOPE
from diamond_adapters.families.weights import Weights, at
from diamond_core.stones.fields import Clarity, Color, Cut

_GRADES: Final = (("cut", len(Cut)), ("color", len(Color)), ("clarity", len(Clarity)))
_SEGMENTS: Final = len(KNOTS) + 1
_STEPS: Final = sum(count - 1 for _, count in _GRADES)
_PENALTY: Final = 4e-6
"""Per stone, on the squared differences of neighbouring slopes and on the squared steps."""


@dataclass(frozen=True, slots=True)
class BoundedBase:
    """log price = c + the slopes over log carat between the ``KNOTS`` + a step for each grade.

    Every slope is at least ``MINIMUM_SLOPE``, and no step is negative. So the base is in order, and
    stays so beyond the weights of the data, where a base without bounds runs wild.

    Attributes:
        coefficients: the constant, 11 slopes, and the steps of cut, color and clarity, shape (29,).
    """

    coefficients: Matrix

    @classmethod
    def fit(
        cls, features: NDArray[Any], logs: Matrix, weights: Weights, engine: Engine = HERE
    ) -> Self:
        """Fit to features (n, 9) and log prices (n,) by bounded, penalized least squares."""
        width = 1 + _SEGMENTS + _STEPS
        products, right, total = np.zeros((width, width)), np.zeros(width), 0.0
        every = list(chunks(len(logs)))  # sums: the columns of all stones can be large
        of_chunks = engine.map(
            _sums,
            (features[rows] for rows in every),
            (logs[rows] for rows in every),
            (at(weights, rows) for rows in every),
        )
        for some in of_chunks:
            products += some[0]
            right += some[1]
            total += some[2]
        bends = np.diff(np.eye(_SEGMENTS, width, 1), axis=0)
        steps = np.eye(_STEPS, width, 1 + _SEGMENTS)
        penalties = np.vstack([bends, steps])
        products += _PENALTY * total * (penalties.T @ penalties) + 1e-9 * total * np.eye(width)
        # the same least squares with as many rows as columns
        root = np.linalg.cholesky(products).T
        lowest = np.repeat([-np.inf, MINIMUM_SLOPE, 0.0], [1, _SEGMENTS, _STEPS])
        solved = lsq_linear(root, np.linalg.solve(root.T, right), (lowest, np.inf), method="bvls")
        return cls(solved.x)

    def predict(self, features: NDArray[Any]) -> Matrix:
        """Return log prices (n,)."""
        logs: Matrix = _columns(features) @ self.coefficients
        return logs


def _sums(features: NDArray[Any], logs: Matrix, weights: Weights) -> tuple[Matrix, Matrix, float]:
    """Return the sums of a chunk of stones: products of columns, and with log prices, and weights."""
    columns = _columns(features)
    weighted = columns if weights is None else columns * weights[:, np.newaxis]
    return weighted.T @ columns, weighted.T @ logs, float(weighted[:, 0].sum())


def _columns(features: NDArray[Any]) -> Matrix:
    """Return a constant, the length of each segment, and whether each grade is reached."""
    log_carat = np.log(features[:, [POSITIONS["carat"]]].astype(np.float64))
    knots = np.log(KNOTS)
    ends = np.append(knots[1:], np.inf)
    below = np.minimum(log_carat - knots[0], 0.0)
    above = np.clip(log_carat - knots, 0.0, ends - knots)
    reached = [features[:, [POSITIONS[name]]] >= np.arange(1, count) for name, count in _GRADES]
    return np.hstack([np.ones_like(below), below, above, *reached])
