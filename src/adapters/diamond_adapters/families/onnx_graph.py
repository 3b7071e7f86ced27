"""An ONNX graph from features to prices, built operator by operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from diamond_adapters.models.onnx_model import INPUT, OUTPUT

OPSET: Final = 18
OPSET_ML: Final = 5
IR_VERSION: Final = 9
ML: Final = "ai.onnx.ml"
"""The domain of the operators for trees."""


class Graph:
    """Collects nodes and constants. Each operation returns the name of its result.

    Args:
        features: the names of the input's columns, in their order.
    """

    def __init__(self, features: Sequence[str]) -> None:
        self._positions = {name: at for at, name in enumerate(features)}
        self._nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], Any] = {}
        self._domains: set[str] = set()
        self._numbers = count()

    def constant(self, value: Any, dtype: Any = np.float64) -> str:
        """Add a constant tensor, or find an equal one."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"c{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(array, name)
        found: str = self._constants[key].name
        return found

    def __call__(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"n{next(self._numbers)}"
        node = helper.make_node(operator, list(inputs), [name], **attributes)
        self._domains.add(node.domain)
        self._nodes.append(node)
        return name

    def any_known(self, names: Sequence[str]) -> str:
        """Add a scalar: whether any of the features *names* of any stone is known."""
        chosen = np.zeros(len(self._positions))
        chosen[[self._positions[name] for name in names]] = 1.0
        unknown = self("Cast", self("IsNaN", INPUT), to=TensorProto.FLOAT)
        counted = self("MatMul", unknown, self.constant(chosen, np.float32))
        least = self("ReduceMin", counted, keepdims=0)
        return self("Less", least, self.constant(len(names), np.float32))

    def choose(self, condition: str, then: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """Compute what *then* adds if the scalar *condition* is true, else what *otherwise* adds.

        Both add float64; what is not chosen costs nothing.
        """
        return self(
            "If", condition, then_branch=self._branch(then), else_branch=self._branch(otherwise)
        )

    def _branch(self, add: Callable[[], str]) -> Any:
        """Return what *add* adds as a graph of its own; it may use the results of this one."""
        outer, self._nodes = self._nodes, []
        result = helper.make_tensor_value_info(add(), TensorProto.DOUBLE, None)
        inner, self._nodes = self._nodes, outer
        return helper.make_graph(inner, f"branch{next(self._numbers)}", [], [result])

    def columns(self, source: str, names: Sequence[str]) -> str:
        """Select the columns of the features *names* from a matrix of all features."""
        positions = self.constant([self._positions[name] for name in names], np.int64)
        return self("Gather", source, positions, axis=1)

    def serialized(self, name: str) -> bytes:
        """Return the graph's bytes: features (n, count) float32 to prices (n,) float64 in USD."""
        shape: list[str | int] = ["n", len(self._positions)]
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["n"])],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET)]
        if ML in self._domains:
            opsets.append(helper.make_opsetid(ML, OPSET_ML))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        serialized: bytes = model.SerializeToString(deterministic=True)
        return serialized
