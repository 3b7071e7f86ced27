"""How far stones are from one stone in price terms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from diamond_core.models.inversions import Pricer
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import FIELDS, GRADED, GRADES, REQUIRED

_DIGITS: Final = 9


def price_distances(price: Pricer, diamond: Diamond, stones: DiamondTable) -> Floats:
    """Return how far each of *stones* is from *diamond* in price terms, shape (n,).

    Change one of the 4 Cs of *diamond* at a time to that of the other stone: the distance is the
    sum of |log(price after / price before)| over the four changes. So a better grade does not make
    up for a lower weight, and a distance of 0.05 means changes of about 5 % in all. Measurements do
    not count.

    *price* returns a model's prices in USD; it is called once.
    """
    weights, weight_of = np.unique(stones.carat, return_inverse=True)
    own = {name: getattr(diamond, name) for name in REQUIRED}
    changed: list[dict[str, Any]] = [own, *(own | {"carat": carat} for carat in weights.tolist())]
    for name in GRADED:
        changed += [own | {name: grade} for grade in GRADES[name].grades]
    rows = {name: [row.get(name) for row in changed] for name in FIELDS}
    logs = np.log(price(DiamondTable.of_stored(rows)))
    steps = np.abs(logs[1:] - logs[0])
    total: Floats = steps[weight_of]
    start = len(weights)
    for name in GRADED:
        total = total + steps[start + stones.column(name).astype(np.intp)]
        start += len(GRADES[name].grades)
    return np.round(total, _DIGITS)  # of equal distances, noise decides nothing
