"""How much a model relies on each thing that it is told about a stone."""

from __future__ import annotations

from typing import Final

import numpy as np

from diamond_core.diamond_table import DiamondTable
from diamond_core.ports import Model

_STONES: Final = 1000
_ROUNDS: Final = 2
FEATURES: Final = {
    "carat": ("carat",),
    "clarity": ("clarity",),
    "color": ("color",),
    "cut": ("cut",),
    "x, y and z": ("x", "y", "z"),
    "depth": ("depth",),
    "table": ("table",),
}


def permutation_importance(model: Model, table: DiamondTable) -> dict[str, float]:
    """Return by how many USD the mean absolute error grows when a column is shuffled.

    Breiman, 2001: Random forests, section 10. Length, width and height are shuffled together,
    for one of them alone would make stones that can't exist. At most 1,000 stones are used.
    """
    random = np.random.default_rng(0)
    table = table[random.permutation(len(table))[:_STONES]]
    base = np.abs(model.price(table) - table.price).mean()
    grown = {}
    for feature, columns in FEATURES.items():
        errors = []
        for _ in range(_ROUNDS):
            order = random.permutation(len(table))
            rows = table.rows.copy()
            for column in columns:
                rows[column] = table.rows[column][order]
            errors.append(np.abs(model.price(DiamondTable(rows)) - table.price).mean())
        grown[feature] = float(np.mean(errors) - base)
    return dict(sorted(grown.items(), key=lambda item: -item[1]))
