"""An ONNX graph from features to prices, built operator by operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from diamond_adapters.models.onnx_model import INPUT, OUTPUT

OPSET: Final = 18
OPSET_ML: Final = 3
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
        self._constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = np.float64) -> str:
        """Add a constant tensor."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def __call__(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

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
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain == ML for node in self._nodes):
            opsets.append(helper.make_opsetid(ML, OPSET_ML))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        serialized: bytes = model.SerializeToString(deterministic=True)
        return serialized
