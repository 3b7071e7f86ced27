"""An ordered linear model as an ONNX graph of plain operators, computed in float64."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from diamond_adapters.families.features import FEATURES, MEASUREMENTS, POSITIONS
from diamond_adapters.families.linear.design import LinearDesign
from diamond_adapters.families.linear.ordered import OrderedLinear
from diamond_adapters.families.onnx_graph import Graph
from diamond_adapters.models.onnx_model import INPUT


def export(model: OrderedLinear) -> bytes:
    """Return the graph: ``FEATURES`` (n, 9) float32 to prices (n,) float64 in USD."""
    add = Graph(FEATURES)
    exact = add("Cast", INPUT, to=TensorProto.DOUBLE)
    logs = model.tables.add_to(add, exact)
    of_four_cs = logs if model.log_price else add("Exp", logs)

    def with_measurements() -> str:
        terms = _measurement_terms(add, model.design, exact)
        return add("Add", of_four_cs, add("MatMul", terms, add.constant(model.measurements)))

    value = add.choose(
        add.any_known(MEASUREMENTS), with_measurements, lambda: add("Identity", of_four_cs)
    )
    model.rule.add_to(add, value, log_price=model.log_price)
    return add.serialized("linear")


def _measurement_terms(add: Graph, design: LinearDesign, exact: str) -> str:
    """Return the terms of ``LinearDesign``'s measurements, 0 where unknown, shape (n, 3)."""
    cut = add(
        "Cast",
        add("Gather", exact, add.constant(POSITIONS["cut"], np.int64), axis=1),
        to=TensorProto.INT64,
    )
    assumed = add("Gather", add.constant(design.medians_), cut, axis=0)
    known = add.columns(exact, ["depth", "table"])
    unknown = add("IsNaN", add.columns(INPUT, ["depth", "table"]))
    filled = add("Where", unknown, assumed, known)
    offsets = add("Sub", filled, assumed)
    carat, x, y = (add.columns(exact, [name]) for name in ("carat", "x", "y"))
    diameter = add("Mul", add("Log", add("Mul", x, y)), add.constant(0.5))
    depth = add("Gather", filled, add.constant([0], np.int64), axis=1)
    density = add.constant(np.log(design.density_ / 100.0))
    cube = add("Sub", add("Log", add("Div", carat, depth)), density)
    spread = add("Sub", diameter, add("Div", cube, add.constant(3.0)))
    unmeasured = add("IsNaN", add("Cast", spread, to=TensorProto.FLOAT))
    spread = add("Where", unmeasured, add.constant(0.0), spread)
    return add("Concat", offsets, spread, axis=1)
