"""The fields of a stone that the families use: the columns of their matrices, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FOUR_CS: Final = ("carat", "cut", "color", "clarity")
MEASUREMENTS: Final = ("depth", "table", "x", "y", "z")
FEATURES: Final = (*FOUR_CS, *MEASUREMENTS)
POSITIONS: Final[Mapping[str, int]] = {name: at for at, name in enumerate(FEATURES)}


def four_cs_of(features: NDArray[Any]) -> NDArray[Any]:
    """Return a copy of features (n, 9) in which only the 4 Cs are known."""
    copy = features.copy()
    copy[:, len(FOUR_CS) :] = np.nan
    return copy
