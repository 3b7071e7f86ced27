"""Serve a graph with BentoML's server, two workers.

GRAPH=MODEL.ONNX bentoml-env/bin/bentoml serve serve_with_bentoml:Price --port PORT
"""

from __future__ import annotations

import os

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=2)
class Price:
    """The price of stones, from the features of each."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(os.environ["GRAPH"], options)

    @bentoml.api
    def predict(self, stones: list[list[float]]) -> list[float]:
        """Return the price of each stone."""
        features = np.array(stones, np.float32)
        return self._session.run(["price"], {"features": features})[0].tolist()
