"""How much a model relies on each field of a stone."""

from __future__ import annotations

from typing import Final

import numpy as np

from diamond_core.ports import Model
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import FIELDS

_STONES: Final = 1000
_ROUNDS: Final = 2
_SIZE: Final = ("x", "y", "z")
_SHUFFLED: Final = {
    **{name: (name,) for name in FIELDS if name not in _SIZE},
    "x, y and z": _SIZE,
}


def permutation_importance(model: Model, stones: DiamondTable) -> dict[str, float]:
    """Return by how many USD the mean absolute error increases when a field is shuffled.

    Breiman, 2001: Random forests, section 10. Length, width and height are shuffled together:
    shuffling only one would make impossible stones. At most 1,000 stones are used.
    """
    random = np.random.default_rng(0)
    stones = stones[random.permutation(len(stones))[:_STONES]]
    base = np.abs(model.price(stones) - stones.price).mean()
    grown = {}
    for label, names in _SHUFFLED.items():
        errors = []
        for _ in range(_ROUNDS):
            order = random.permutation(len(stones))
            rows = stones.rows_of_today()
            for name in names:
                rows[name] = rows[name][order]
            errors.append(np.abs(model.price(DiamondTable(rows)) - stones.price).mean())
        grown[label] = float(np.mean(errors) - base)
    return dict(sorted(grown.items(), key=lambda item: -item[1]))
