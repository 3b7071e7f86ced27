"""The served form of every family: an ONNX graph that prices a stone's features."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from diamond_core.errors import FamilyFailed
from diamond_core.stones.diamond import Stones
from diamond_core.stones.diamond_table import Floats

INPUT = "features"
OUTPUT = "price"


class OnnxModel:
    """A model from the bytes of an ONNX graph; loading it runs no code of its author.

    The graph takes ``features``, float32 of shape (n, len(features)) with NaN for unknown, and
    returns ``price``, n prices in USD.

    Args:
        graph: the bytes.
        features: the fields of a stone that it uses, in the order of the columns.

    Raises:
        FamilyFailed: *graph* is not such a graph.
    """

    def __init__(self, graph: bytes | memoryview, features: tuple[str, ...]) -> None:
        options = ort.SessionOptions()
        # One stone is too little work for several threads, and the workers share the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                bytes(graph), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as ex:  # the runtime's errors share no other public base
            raise FamilyFailed("onnx", f"the graph can't be loaded: {ex}") from ex
        inputs = [(node.name, node.shape[1:]) for node in self._session.get_inputs()]
        outputs = [node.name for node in self._session.get_outputs()]
        if inputs != [(INPUT, [len(features)])] or OUTPUT not in outputs:
            raise FamilyFailed(
                "onnx",
                f"the graph takes {inputs} and returns {outputs}; it must take {INPUT!r} with"
                f" {len(features)} columns and return {OUTPUT!r}",
            )
        self._features = features

    def price(self, stones: Stones) -> Floats:
        (prices,) = self._session.run([OUTPUT], {INPUT: stones.features(self._features)})
        return np.asarray(prices, dtype=np.float64).reshape(-1)
