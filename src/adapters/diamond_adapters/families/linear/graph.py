"""A fitted linear model as an ONNX graph of plain operators, computed in float64.

The products of weight terms and grades are not separate columns: for each grade the graph looks up
its line over the weight terms, sums the lines of a stone's grades, and evaluates the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from sklearn.pipeline import Pipeline

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear.design import KNOTS, LinearDesign, Matrix
from diamond_adapters.families.onnx_graph import Graph
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.models.onnx_model import INPUT
from diamond_core.stones.fields import Clarity, Color, Cut

_GRADES: Final = len(Cut) + len(Color) + len(Clarity)


@dataclass(frozen=True, slots=True)
class UnscaledCoefficients:
    """A pipeline's coefficients for unscaled columns, grouped by what they multiply.

    Attributes:
        lines: for each weight term (the constant first) and each grade of the three fields,
            shape (1 + terms, 20): the sum over a stone's grades is the stone's line.
        pairs: for each color and clarity, shape (56,).
        measurements: for depth, table and spread, shape (3,).
    """

    lines: Matrix
    pairs: Matrix
    measurements: Matrix

    @classmethod
    def of(cls, pipeline: Pipeline) -> Self:
        """Undo the scaling and group the coefficients; ``LinearDesign`` defines their order."""
        design, scaler, linear = (step for _, step in pipeline.steps)
        coefficients = np.ravel(linear.coef_) / scaler.scale_
        intercept = float(linear.intercept_) - float(coefficients @ scaler.mean_)
        terms = design.weight_terms(np.ones(1)).shape[1]
        dummies = _GRADES - 3  # the worst grade of each field has none
        counts = [terms, dummies, 3]
        if design.interactions:
            counts += [terms * dummies, (len(Color) - 1) * (len(Clarity) - 1)]
        parts = np.split(coefficients, np.cumsum(counts)[:-1])
        lines = np.zeros((1 + terms, _GRADES))
        with_dummy = np.delete(np.arange(_GRADES), [0, len(Cut), len(Cut) + len(Color)])
        lines[0, with_dummy] = parts[1]
        pairs = np.zeros((len(Color), len(Clarity)))
        if design.interactions:
            lines[1:, with_dummy] = parts[3].reshape(terms, dummies)
            pairs[1:, 1:] = parts[4].reshape(len(Color) - 1, len(Clarity) - 1)
        # Every stone has exactly one cut, so the terms common to all stones are added to the cuts.
        lines[0, : len(Cut)] += intercept
        lines[1:, : len(Cut)] += parts[0][:, np.newaxis]
        return cls(lines, pairs.ravel(), parts[2])


def export(pipeline: Pipeline, rule: PriceRule, *, log_price: bool) -> bytes:
    """Return the graph: ``FEATURES`` (n, 9) float32 to prices (n,) float64 in USD."""
    add = Graph(FEATURES)
    exact = add("Cast", INPUT, to=TensorProto.DOUBLE)
    rule.add_to(add, linear_value(add, exact, pipeline), log_price=log_price)
    return add.serialized("linear")


def linear_value(add: Graph, exact: str, pipeline: Pipeline) -> str:
    """Add the linear model's prediction for the features *exact* (float64), shape (n,)."""
    design: LinearDesign = pipeline.steps[0][1]
    coefficients = UnscaledCoefficients.of(pipeline)
    logs = add("Log", add.columns(exact, ["carat"]))
    weight = _weight_terms(add, design.weight, exact, logs)
    one_hot = _one_hot(add, exact)
    lines = add("MatMul", one_hot, add.constant(coefficients.lines.T))
    value = add("ReduceSum", add("Mul", weight, lines), _axis_1(add), keepdims=0)
    if coefficients.pairs.any():
        value = add("Add", value, _pairs(add, exact, coefficients.pairs))
    terms = _measurement_terms(add, design, exact, one_hot, logs)
    return add("Add", value, add("MatMul", terms, add.constant(coefficients.measurements)))


def _axis_1(add: Graph) -> str:
    return add.constant([1], np.int64)


def _weight_terms(add: Graph, kind: str, exact: str, logs: str) -> str:
    """Return a constant 1 and the weight's terms, shape (n, 1 + terms)."""
    carat = add.columns(exact, ["carat"])
    one = add("Div", carat, carat)
    if kind == "carat":
        return add("Concat", one, carat, axis=1)
    if kind == "log":
        return add("Concat", one, logs, axis=1)
    hinges = add("Relu", add("Sub", logs, add.constant(np.log([KNOTS]))))
    return add("Concat", one, logs, hinges, axis=1)


def _one_hot(add: Graph, exact: str) -> str:
    """Return one column for each grade of cut, color and clarity, shape (n, 20)."""
    fields = ["cut"] * len(Cut) + ["color"] * len(Color) + ["clarity"] * len(Clarity)
    numbers = [*range(len(Cut)), *range(len(Color)), *range(len(Clarity))]
    same = add("Equal", add.columns(exact, fields), add.constant([numbers]))
    return add("Cast", same, to=TensorProto.DOUBLE)


def _pairs(add: Graph, exact: str, pairs: NDArray[np.float64]) -> str:
    """Return the joint term of the stone's color and clarity, shape (n,)."""
    both = add("MatMul", add.columns(exact, ["color", "clarity"]), add.constant([len(Clarity), 1]))
    return add("Gather", add.constant(pairs), add("Cast", both, to=TensorProto.INT64), axis=0)


def _measurement_terms(
    add: Graph, design: LinearDesign, exact: str, one_hot: str, logs: str
) -> str:
    """Return the terms of ``LinearDesign``'s measurements, 0 where unknown, shape (n, 3)."""
    medians = np.zeros((_GRADES, 2))
    medians[: len(Cut)] = design.medians_
    assumed = add("MatMul", one_hot, add.constant(medians))
    known = add.columns(exact, ["depth", "table"])
    unknown = add("IsNaN", add.columns(INPUT, ["depth", "table"]))
    filled = add("Where", unknown, assumed, known)
    offsets = add("Sub", filled, assumed)
    x, y = add.columns(exact, ["x"]), add.columns(exact, ["y"])
    diameter = add("Mul", add("Log", add("Mul", x, y)), add.constant(0.5))
    depth = add("Gather", filled, add.constant([0], np.int64), axis=1)
    density = add.constant(np.log(design.density_ / 100.0))
    cube = add("Sub", add("Sub", logs, add("Log", depth)), density)
    spread = add("Sub", diameter, add("Div", cube, add.constant(3.0)))
    unmeasured = add("IsNaN", add("Cast", spread, to=TensorProto.FLOAT))
    spread = add("Where", unmeasured, add.constant(0.0), spread)
    return add("Concat", offsets, spread, axis=1)
