"""The served form of every family: an ONNX graph that prices raw features."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from diamond_core.diamond import FIELDS
from diamond_core.diamond_table import DiamondTable, Floats
from diamond_core.errors import FamilyFailed

INPUT = "features"
OUTPUT = "price"


class OnnxModel:
    """A model from the bytes of an ONNX graph; loading one runs no code of its maker's.

    The graph takes ``features``, float32 of shape (n, 9) in the order of
    ``diamond_core.FIELDS`` with NaN for unknown, and returns ``price``, n prices in USD.
    """

    def __init__(self, graph: bytes) -> None:
        options = ort.SessionOptions()
        # One stone is far too little work to share among threads, and workers share the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                graph, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as ex:  # the runtime's errors share no other public base
            raise FamilyFailed("onnx", f"the graph can't be loaded: {ex}") from ex
        inputs = [(node.name, node.shape[1:]) for node in self._session.get_inputs()]
        outputs = [node.name for node in self._session.get_outputs()]
        if inputs != [(INPUT, [len(FIELDS)])] or OUTPUT not in outputs:
            raise FamilyFailed("onnx", f"the graph takes {inputs} and gives {outputs}")

    def price(self, table: DiamondTable) -> Floats:
        (prices,) = self._session.run([OUTPUT], {INPUT: table.features()})
        return np.asarray(prices, dtype=np.float64).reshape(-1)
