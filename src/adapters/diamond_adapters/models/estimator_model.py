"""A model from a pickled estimator, for families that cannot export ONNX.

Loading one can run any code in the file, so the operator must allow it.
"""

from __future__ import annotations

import io

import joblib
import numpy as np

from diamond_core.stones.diamond import Stones
from diamond_core.stones.diamond_table import Floats


class EstimatorModel:
    """A model from the bytes of a joblib file.

    It contains an object whose ``predict`` takes float32 of shape (n, len(features)) with NaN for
    unknown, and returns n prices in USD.

    Args:
        pickled: the bytes.
        features: the fields of a stone that it uses, in the order of the columns.

    Raises:
        ValueError: *pickled* can't be loaded.
    """

    def __init__(self, pickled: bytes | memoryview, features: tuple[str, ...]) -> None:
        try:
            self._estimator = joblib.load(io.BytesIO(pickled))
        except Exception as ex:  # unpickling can raise anything
            raise ValueError(f"joblib: {ex}") from ex
        self._features = features

    def price(self, stones: Stones) -> Floats:
        matrix = stones.features(self._features)
        if not len(matrix):
            return np.empty(0)  # scikit-learn refuses an empty matrix
        return np.asarray(self._estimator.predict(matrix), dtype=np.float64).reshape(-1)
