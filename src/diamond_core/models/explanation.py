"""Why a price: what each property of a stone adds to the price of another stone, in USD.

The amounts are Shapley values (Shapley, 1953, A Value for n-Person Games) of the game in which a
coalition of properties is worth the price of a stone that has these properties from the explained
stone and all others from the stone that it is compared with: the mean, over all orders in which the
properties can be changed one after the other, of what each change adds. With five properties there
are 32 coalitions, so the values are exact. They add up to the difference of both prices; what the
model ignores gets nothing; and two properties that always add the same get the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any, Final

import numpy as np

from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import FIELDS, GRADED, GRADES, REQUIRED
from diamond_core.stones.proportions import values_at

MEASUREMENTS: Final = "measurements"
PROPERTIES: Final = (*REQUIRED, MEASUREMENTS)
"""What is explained: the 4 Cs, and all that is measured together, as proportions."""

_COALITIONS: Final = 2 ** len(PROPERTIES)
_WORDS: Final = {
    "carat": ("this weight", "adds", "takes"),
    MEASUREMENTS: ("its measurements", "add", "take"),
}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one property adds to the price, in USD; below zero if it takes something off."""

    what: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a stone has its price.

    Attributes:
        compared_with: the stone that it is compared with.
        is_typical: whether that is the typical stone of the model's training data.
        base: the price of that stone, in USD.
        contributions: one for each property; they and *base* add up to the price, to the cent.
    """

    compared_with: Diamond
    is_typical: bool
    base: float
    contributions: tuple[Contribution, ...]

    def sentence(self) -> str:
        """Return the explanation in one sentence; amounts below a dollar are left out."""
        subject = "The typical stone" if self.is_typical else "The other stone"
        parts = [f"{subject} costs {_dollars(self.base)}"]
        for each in sorted(self.contributions, key=lambda each: -abs(each.amount)):
            if abs(each.amount) < 1.0:
                continue
            (words, adds, takes) = _WORDS.get(each.what, (f"its {each.what}", "adds", "takes"))
            amount = _dollars(abs(each.amount))
            added = each.amount > 0.0
            parts.append(f"{words} {adds} {amount}" if added else f"{words} {takes} {amount} off")
        first, *others = parts
        return f"{first}; {', '.join(others)}." if others else f"{first}, and so does this one."


def coalitions(diamond: Diamond, other: Diamond) -> DiamondTable:
    """Return a stone for each set of properties of *diamond*; the others are those of *other*.

    Bit i of a row's number says whether ``PROPERTIES[i]`` is in the set, so that the last row is
    *diamond* and the first one is *other*. Measurements stand for proportions; see ``values_at``.
    """
    rows = []
    for number in range(_COALITIONS):
        of = {name: diamond if number >> bit & 1 else other for bit, name in enumerate(PROPERTIES)}
        grades = {name: getattr(of[name], name) for name in REQUIRED}
        rows.append(values_at(of[MEASUREMENTS], of["carat"].carat) | grades)
    return DiamondTable.of_stored({name: [row[name] for row in rows] for name in FIELDS})


def shapley_values(worths: Floats) -> Floats:
    """Return the Shapley value of each of n players, shape (n,), from the worth of each coalition.

    Args:
        worths: shape (2**n,); bit i of a coalition's number says whether player i is in it.
    """
    players = len(worths).bit_length() - 1
    numbers = np.arange(len(worths))
    sizes = np.array([number.bit_count() for number in numbers.tolist()])
    # a coalition of k others comes first in k! (n - k - 1)! of the n! orders
    weights = np.array([1.0 / (players * comb(players - 1, k)) for k in range(players)])
    values = np.empty(players)
    for player in range(players):
        without = numbers[numbers >> player & 1 == 0]
        added = worths[without | 1 << player] - worths[without]
        values[player] = (weights[sizes[without]] * added).sum()
    return values


def in_cents(amounts: Floats, total: float) -> list[float]:
    """Return the amounts in whole cents that add up to *total*: each is off by a cent at most.

    Raises:
        ValueError: the amounts are not about *total* together.
    """
    cents = np.floor(amounts * 100.0)
    missing = round(total * 100.0) - int(cents.sum())
    if not 0 <= missing <= 2 * len(amounts):
        raise ValueError(f"{amounts} do not add up to {total}")
    largest = np.argsort(cents - amounts * 100.0, kind="stable")
    for place in range(missing):
        cents[largest[place % len(amounts)]] += 1.0
    return [round(float(each) / 100.0, 2) for each in cents]


def typical_stone(stones: DiamondTable) -> Diamond:
    """Return the median weight and the most common grades of *stones*; measurements are unknown."""
    counts = {name: np.bincount(stones.column(name)) for name in GRADED}
    grades: dict[str, Any] = {
        name: GRADES[name].grades[int(count.argmax())] for name, count in counts.items()
    }
    carat = float(np.quantile(stones.carat, 0.5, method="inverted_cdf"))
    return Diamond(carat=carat, **grades)


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}"
