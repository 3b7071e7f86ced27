"""Fit linear models to sums: their cost does not depend on the number of stones.

One eigendecomposition solves least squares and every ridge penalty, and yields p rows that replace
all n rows in the lasso.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path

from diamond_adapters.families.linear.candidates import Candidate
from diamond_adapters.families.linear.design import Matrix
from diamond_adapters.families.linear.sums import Sums

MINIMUM_DEVIATION: Final = 0.2
"""Columns are divided by their standard deviation, or by this if it is larger.

Without a floor, a column that is nonzero for only a few stones would count as much as any other, and
a penalty would hardly shrink the extreme slope of those few stones.
"""
LASSO_ITERATIONS: Final = 500


def solved(
    sums: Sums, candidates: Sequence[Candidate], *, iterations: int = LASSO_ITERATIONS
) -> tuple[Matrix, Matrix]:
    """Return intercepts (m,) and coefficients (p, m) of m candidates of the same design.

    A lasso ends after *iterations*, converged or not: it is scored by its error like any other
    candidate.
    """
    means = sums.sums / sums.count
    covariance = sums.products / sums.count - np.outer(means, means)
    deviations = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    deviations[:-2] = np.maximum(deviations[:-2], MINIMUM_DEVIATION)
    deviations[-2:] = np.maximum(deviations[-2:], 1e-9)  # all prices can be the same
    correlation = covariance / np.outer(deviations, deviations)
    inner, outer = correlation[:-2, :-2], correlation[:-2, -2:]
    values, vectors = np.linalg.eigh(inner)
    kept = values > values[-1] * 1e-12
    values, vectors = values[kept], vectors[:, kept]
    rotated = vectors.T @ outer
    coefficients = np.empty((len(inner), len(candidates)))
    for target in (0, 1):
        chosen = [i for i, each in enumerate(candidates) if each.log_price == bool(target)]
        # These rows have the same inner products as all n rows, divided by n.
        stand_in = np.sqrt(values)[:, np.newaxis] * vectors.T
        response = rotated[:, target] / np.sqrt(values)
        lassos = [i for i in chosen if candidates[i].solver == "lasso"]
        if lassos:
            penalties = [candidates[i].penalty / len(stand_in) for i in lassos]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                _, path, _ = lasso_path(
                    stand_in, response, alphas=penalties, tol=1e-4, max_iter=iterations
                )
            coefficients[:, lassos] = path
        for i in chosen:
            if candidates[i].solver != "lasso":
                shrunk = rotated[:, target] / (values + candidates[i].penalty)
                coefficients[:, i] = vectors @ shrunk
    scales = np.array([deviations[-1] if each.log_price else deviations[-2] for each in candidates])
    coefficients *= scales / deviations[:-2, np.newaxis]
    centers = np.array([means[-1] if each.log_price else means[-2] for each in candidates])
    return centers - means[:-2] @ coefficients, coefficients
