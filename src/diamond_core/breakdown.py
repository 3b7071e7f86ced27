"""Groups of stones that people ask about: by price band and by grade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.diamond import GRADES
from diamond_core.diamond_table import DiamondTable

PRICE: Final = "price"
PRICE_BANDS: Final = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Some stones of a table.

    Attributes:
        by: 'price', 'cut', 'color' or 'clarity'.
        name: the grade, or the band's least and most price in USD.
        rows: the stones' row numbers, shape (n,), n above 0.
    """

    by: str
    name: str
    rows: NDArray[np.intp]

    def mean(self, values: NDArray[Any]) -> float:
        """Return the mean of *values*, one for each of the table's stones, over the group."""
        return float(values[self.rows].mean())


def groups_of(table: DiamondTable) -> list[Group]:
    """Return the groups of *table* that have members: price bands, then grades, worst first.

    The bands hold equally many stones each, whatever the prices are.
    """
    order = np.argsort(table.price, kind="stable")
    bands = np.array_split(order, min(PRICE_BANDS, len(order)) or 1)
    groups = [Group(PRICE, _band(table.price[rows]), rows) for rows in bands]
    for field, grades in GRADES.items():
        numbers = table.column(field)
        groups += [
            Group(field, grade.value, np.flatnonzero(numbers == number))
            for number, grade in enumerate(grades)
        ]
    return [group for group in groups if len(group.rows)]


def _band(prices: NDArray[np.float64]) -> str:
    return f"{prices.min():,.0f} to {prices.max():,.0f}" if len(prices) else ""
