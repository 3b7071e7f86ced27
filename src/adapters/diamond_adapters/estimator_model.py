"""A model from a pickled estimator, for families that cannot export ONNX.

Loading one runs whatever code the file holds: only where the operator allows it.
"""

from __future__ import annotations

import io

import joblib
import numpy as np

from diamond_core.diamond_table import DiamondTable, Floats
from diamond_core.errors import FamilyFailed


class EstimatorModel:
    """A model from the bytes of a joblib file.

    It holds an object whose ``predict`` takes features, float32 of shape (n, 9) in the order of
    ``diamond_core.FIELDS`` with NaN for unknown, and returns n prices in USD.
    """

    def __init__(self, pickled: bytes) -> None:
        try:
            self._estimator = joblib.load(io.BytesIO(pickled))
        except Exception as ex:  # whatever unpickling may raise
            raise FamilyFailed("joblib", f"the estimator can't be loaded: {ex}") from ex

    def price(self, table: DiamondTable) -> Floats:
        if not len(table):
            return np.empty(0)  # scikit-learn refuses an empty matrix
        return np.asarray(self._estimator.predict(table.features()), dtype=np.float64).reshape(-1)
