"""The stable hold-out: a stone is always on the same side."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.diamond_table import DiamondTable

HOLDOUT_SHARE: Final = 0.2


def in_holdout(table: DiamondTable, share: float = HOLDOUT_SHARE) -> NDArray[np.bool_]:
    """Return for each stone whether it is held out from training, shape (n,).

    The side depends only on the stone's content, not on chance, order, price or the rest of the
    table. So all models are scored on stones that none of them was trained on, and duplicates are
    always on the same side.
    """
    threshold = np.uint64(int((1.0 - share) * 2.0**64))
    return table.stone_hashes() >= threshold


def folds(table: DiamondTable, count: int, seed: int) -> NDArray[np.intp]:
    """Assign each stone to one of *count* cross-validation folds, shape (n,).

    Equal stones are in the same fold. The assignment depends on *seed*.
    """
    hashes = table.stone_hashes()
    unique, inverse = np.unique(hashes, return_inverse=True)
    numbers = np.arange(len(unique)) % count
    shuffled = np.random.default_rng(seed).permutation(numbers)
    assigned: NDArray[np.intp] = shuffled[inverse]
    return assigned
