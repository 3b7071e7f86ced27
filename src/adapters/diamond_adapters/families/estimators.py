"""The native estimators that data scientists open in a notebook."""

from __future__ import annotations

import io

import joblib


def dumped(estimator: object) -> bytes:
    """Return *estimator* as bytes for ``joblib.load``."""
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()
