"""Prices of the 4 Cs as a table in which a better or a heavier stone is never cheaper.

A model is evaluated once for every weight and grade of a grid (tabulated), its log prices are put
in order by isotonic regression along one axis after the other (projected), and stones are priced by
interpolation (served). The regressions of one axis have the same weights in all lines. So a line
that is below another one stays below it, and a later axis does not break the order of an earlier
one (Robertson, Wright and Dykstra, 1988, Order Restricted Statistical Inference, chapter 1).

The order is exact, not up to rounding: log prices are multiples of 2**-20, and a position between
two weights is one of 2**-24, so that float64 interpolates without an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from sklearn.isotonic import isotonic_regression

from diamond_adapters.families.features import FEATURES, FOUR_CS, POSITIONS
from diamond_adapters.families.onnx_graph import Graph
from diamond_core.stones.diamond_table import Floats
from diamond_core.stones.fields import Clarity, Color, Cut

FIRST, LAST = 20, 500
"""The first and the last weight of the grid, in hundredths of a carat."""
CARATS: Final = np.arange(FIRST, LAST + 1) / 100.0
SHAPE: Final = (len(CARATS), len(Cut), len(Color), len(Clarity))
MINIMUM_SLOPE: Final = 0.5
"""Of the log price over log carat beyond the grid: the price of a stone 4 times as heavy doubles."""

_AXES: Final[Mapping[str, int]] = {name: at for at, name in enumerate(FOUR_CS)}
_ORDER: Final = ("cut", "color", "clarity", "carat")
_STRIDES: Final = [int(np.prod(SHAPE[axis + 1 :])) for axis in range(len(SHAPE))]
_CELLS: Final = int(np.prod(SHAPE))
_STEPS: Final = 2.0**20
_ENDS: Final = (slice(None, 6), slice(-101, None))
"""0.20 to 0.25 and 4 to 5 carats: where the slopes beyond the grid are measured."""

AxisWeights = Mapping[str, Floats]
"""For each of the 4 Cs, the weight of each of its values in the regressions."""


def grid() -> NDArray[np.float32]:
    """Return the features of all stones of the grid, shape (134680, 9), measurements unknown."""
    axes = np.meshgrid(CARATS, *(np.arange(count) for count in SHAPE[1:]), indexing="ij")
    features = np.full((_CELLS, len(FEATURES)), np.nan, dtype=np.float32)
    for name, values in zip(FOUR_CS, axes, strict=True):
        features[:, POSITIONS[name]] = values.ravel()
    return features


def axis_weights(features: NDArray[Any], weights: Floats | None) -> AxisWeights:
    """Return the weights for ``ordered``: the number of training stones of each grade and weight.

    Args:
        features: of n stones, shape (n, 9).
        weights: the stones' own weights, shape (n,); None: all have the same.
    """
    hundredths = np.rint(features[:, POSITIONS["carat"]].astype(np.float64) * 100.0)
    numbers = {"carat": np.clip(hundredths, FIRST, LAST).astype(np.intp) - FIRST}
    numbers |= {name: features[:, POSITIONS[name]].astype(np.intp) for name in FOUR_CS[1:]}
    # every value weighs something, also one that no stone has
    added = {name: 0.001 if name == "carat" else 1.0 for name in FOUR_CS}
    return {
        name: (np.bincount(values, weights, SHAPE[_AXES[name]]) + added[name]).astype(np.float64)
        for name, values in numbers.items()
    }


def ordered(
    logs: NDArray[Any], weights: AxisWeights, along: Sequence[str] = FOUR_CS
) -> NDArray[np.float32]:
    """Return the nearest log prices that do not fall along the axes *along*, shape ``SHAPE``."""
    values = np.asarray(logs, dtype=np.float64).reshape(SHAPE)
    for name in _ORDER:
        if name in along:
            values = _isotonic(values, _AXES[name], weights[name])
    values = np.rint(values * _STEPS) / _STEPS
    for name in along:  # undoes rounding errors of the regressions, which are far below a step
        values = np.maximum.accumulate(values, axis=_AXES[name])
    return values.astype(np.float32)


def _isotonic(values: Floats, axis: int, weights: Floats) -> Floats:
    """Return the isotonic regression of each line of *values* along *axis*."""
    lines = np.moveaxis(values, axis, -1)
    flat = lines.reshape(-1, lines.shape[-1])
    # one regression for all lines: each is lifted above the one before, so that they do not mix
    lift = np.arange(len(flat))[:, np.newaxis] * (np.ptp(flat) + 1.0)
    joined = isotonic_regression(
        (flat + lift).ravel(), sample_weight=np.tile(weights, len(flat))
    ).reshape(flat.shape)
    projected: Floats = np.moveaxis((joined - lift).reshape(lines.shape), -1, axis)
    return projected


@dataclass(frozen=True, slots=True)
class PriceTables:
    """One or more tables of log prices (USD) on the grid.

    Between two weights a log price is linear in the weight. Beyond the grid it is linear in the
    logarithm of the weight, with the same slope for all grades.

    Attributes:
        values: the log prices, float32, shape (tables, *SHAPE).
        below, above: the slopes over log carat below and above the weights of the grid.
    """

    values: NDArray[np.float32]
    below: float
    above: float

    @classmethod
    def of(cls, *tables: NDArray[np.float32]) -> Self:
        """Join tables from ``ordered``; beyond the grid all have the mean slopes of the first."""
        slopes = [
            float((tables[0][end][-1] - tables[0][end][0]).mean() / np.ptp(np.log(CARATS[end])))
            for end in _ENDS
        ]
        return cls(np.stack(tables), *(max(slope, MINIMUM_SLOPE) for slope in slopes))

    def at(self, features: NDArray[Any], table: NDArray[np.intp] | int = 0) -> Floats:
        """Return the log prices (n,) of features (n, 9), each from its *table*."""
        exact = np.asarray(features, dtype=np.float64)
        hundredths = exact[:, POSITIONS["carat"]] * 100.0
        inside = np.clip(hundredths, FIRST, LAST)
        lower = np.minimum(np.floor(inside), LAST - 1)
        share = inside - lower
        cell = (lower - FIRST) * _STRIDES[0] + table * _CELLS
        for name, stride in zip(FOUR_CS[1:], _STRIDES[1:], strict=True):
            cell += exact[:, POSITIONS[name]] * stride
        first = cell.astype(np.intp)
        logs = self.values.ravel()
        beyond = np.log(hundredths / inside)
        slope = np.where(beyond < 0.0, self.below, self.above)
        value: Floats = (1.0 - share) * logs[first] + share * logs[first + _STRIDES[0]]
        value += slope * beyond
        return value

    def add_to(self, add: Graph, exact: str, table: str = "") -> str:
        """Add the same to a graph: log prices, shape (n,), of the features *exact* (float64).

        *table* is the number of each stone's table, float64 of shape (n, 1); the first without it.
        An operator costs more than its arithmetic, so one matrix has the hundredths of a carat and,
        counted from 1, the cell of the grades.
        """
        to_pair = np.zeros((len(FOUR_CS), 2))
        to_pair[0, 0], to_pair[1:, 1] = 100.0, _STRIDES[1:]
        four_cs = add.columns(exact, FOUR_CS)
        pair = add("Gemm", four_cs, add.constant(to_pair), add.constant([0.0, 1.0]))
        above_first = add("Max", pair, add.constant([FIRST, 1.0]))
        inside = add("Min", above_first, add.constant([LAST, _STRIDES[0]]))
        lower = add("Floor", inside)
        to_cells = add.constant([[_STRIDES[0], _STRIDES[0]], [1.0, 1.0]])
        first_cell = -FIRST * _STRIDES[0] - 1
        cells = add("Gemm", lower, to_cells, add.constant([first_cell, first_cell + _STRIDES[0]]))
        if table:
            cells = add("Add", cells, add("Mul", table, add.constant(_CELLS)))
        to_shares = add.constant([[-1.0, 1.0], [0.0, 0.0]])
        shares = add("Gemm", add("Sub", inside, lower), to_shares, add.constant([1.0, 0.0]))
        # above the last weight there is none: what stands there has the share 0
        values = add.constant(np.append(self.values, np.zeros(_STRIDES[0])), np.float32)
        logs = add("Gather", values, add("Cast", cells, to=TensorProto.INT64), axis=0)
        weighted = add("Mul", add("Cast", logs, to=TensorProto.DOUBLE), shares)
        value = add("ReduceSum", weighted, add.constant([1], np.int64), keepdims=0)
        beyond = add("Log", add("Div", pair, inside))
        sloped = add("PRelu", beyond, add.constant(self.below / self.above))
        return add("Add", value, add("MatMul", sloped, add.constant([self.above, 0.0])))


def tabulated(value: Callable[[NDArray[np.float32]], Floats]) -> Floats:
    """Return *value* of all stones of the grid, which it takes as features, shape ``SHAPE``."""
    return value(grid()).reshape(SHAPE)
