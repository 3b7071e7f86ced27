"""The served form of every family: an ONNX graph that prices a stone's features."""

from __future__ import annotations

import os
import threading
from typing import Final

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # from 1.29 on, it reports its use to its maker
import onnxruntime as ort

from diamond_adapters.models.graph_check import checked
from diamond_core.stones.diamond import Stones
from diamond_core.stones.diamond_table import Floats

INPUT = "features"
OUTPUT = "price"
FIRST_RUN_SECONDS: Final = 10.0
"""How long a graph may take to price two stones when it is loaded."""


class OnnxModel:
    """A model from the bytes of an ONNX graph; loading it runs no code of its author.

    The graph takes ``features``, float32 of shape (n, len(features)) with NaN for unknown, and
    returns ``price``, n prices in USD.

    Args:
        graph: the bytes.
        features: the fields of a stone that it uses, in the order of the columns.

    Raises:
        ValueError: *graph* is not such a graph, or is not allowed: see ``checked``.
    """

    def __init__(self, graph: bytes | memoryview, features: tuple[str, ...]) -> None:
        data = checked(graph)
        options = ort.SessionOptions()
        # One stone is too little work for several threads, and the workers share the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.load_model_format", "ONNX")  # as it was checked
        try:
            self._session = ort.InferenceSession(
                data,
                sess_options=options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=["ConstantFolding"],  # it computes, without a time limit
            )
            self._check(len(features))
        except ValueError:
            raise
        except Exception as ex:  # the runtime's errors share no other public base
            raise ValueError(f"onnxruntime: {ex}") from ex
        self._features = features

    def _check(self, columns: int) -> None:
        """Check the graph's input and output, and that it prices two stones in time."""
        inputs = [(node.name, node.shape[1:]) for node in self._session.get_inputs()]
        outputs = [node.name for node in self._session.get_outputs()]
        if inputs != [(INPUT, [columns])] or OUTPUT not in outputs:
            raise ValueError(
                f"it takes {inputs} and returns {outputs}; it must take {INPUT!r} with"
                f" {columns} columns and return {OUTPUT!r}"
            )
        options = ort.RunOptions()
        timer = threading.Timer(FIRST_RUN_SECONDS, setattr, (options, "terminate", True))
        timer.start()
        try:
            self._session.run([OUTPUT], {INPUT: np.ones((2, columns), np.float32)}, options)
        finally:
            timer.cancel()
            timer.join()

    def price(self, stones: Stones) -> Floats:
        (prices,) = self._session.run([OUTPUT], {INPUT: stones.features(self._features)})
        return np.asarray(prices, dtype=np.float64).reshape(-1)
