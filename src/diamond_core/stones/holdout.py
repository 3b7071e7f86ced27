"""The stable hold-out: a stone is always on the same side."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.diamond_table import DiamondTable

HOLDOUT_SHARE: Final = 0.2


def in_holdout(table: DiamondTable, share: float = HOLDOUT_SHARE) -> NDArray[np.bool_]:
    """Tell for each stone whether it is held out from training, shape (n,).

    The side depends on the stone's content alone, not on chance, order, price or what else is
    in the table, so that models of different days are scored on stones that none has seen, and
    duplicates never straddle.
    """
    threshold = np.uint64(int((1.0 - share) * 2.0**64))
    return table.stone_hashes() >= threshold


def folds(table: DiamondTable, count: int, seed: int) -> NDArray[np.intp]:
    """Assign each stone to one of *count* cross-validation folds, shape (n,).

    Equal stones share a fold, and *seed* makes another assignment.
    """
    hashes = table.stone_hashes()
    unique, inverse = np.unique(hashes, return_inverse=True)
    numbers = np.arange(len(unique)) % count
    shuffled = np.random.default_rng(seed).permutation(numbers)
    assigned: NDArray[np.intp] = shuffled[inverse]
    return assigned
