"""A model's errors in groups of stones: by price band and by grade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.evaluation import Evaluation
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import GRADES

PRICE_BAND: Final = "price"
"""The ``by`` of slices by price."""

_BANDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSlice:
    """The errors on one group of stones.

    Attributes:
        by: 'price' or the name of a graded field.
        name: the grade, or the band's lowest and highest price in USD.
        stones: the number of stones, above 0.
        mae: mean absolute error, USD.
        mape: mean absolute percentage error, as a fraction.
        bias: the mean of predicted / actual price, minus one.
        coverage: the share of prices inside the price range.
    """

    by: str
    name: str
    stones: int
    mae: float
    mape: float
    bias: float
    coverage: float


def error_slices(evaluation: Evaluation) -> list[ErrorSlice]:
    """Return the errors by price band, then by grade, worst first, without empty groups.

    The bands have the same number of stones. Evaluations of the same stones have the same slices.
    """
    actual = evaluation.stones.price
    errors, covered = evaluation.absolute_errors, evaluation.covered
    shares, ratios = errors / actual, evaluation.predicted / actual
    return [
        ErrorSlice(
            by=by,
            name=name,
            stones=len(rows),
            mae=float(errors[rows].mean()),
            mape=float(shares[rows].mean()),
            bias=float(ratios[rows].mean()) - 1.0,
            coverage=float(covered[rows].mean()),
        )
        for by, name, rows in _groups(evaluation.stones)
        if len(rows)
    ]


def _groups(table: DiamondTable) -> Iterator[tuple[str, str, NDArray[np.intp]]]:
    order = np.argsort(table.price, kind="stable")
    for rows in np.array_split(order, min(_BANDS, len(order)) or 1):
        prices = table.price[rows]
        name = f"{prices.min():,.0f} to {prices.max():,.0f}" if len(prices) else ""
        yield PRICE_BAND, name, rows
    for field in GRADES.values():
        numbers = table.column(field.name)
        for number, grade in enumerate(field.grades):
            yield field.name, grade.value, np.flatnonzero(numbers == number)
