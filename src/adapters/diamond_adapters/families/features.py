"""The fields of a stone that the families use: the columns of their matrices, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FOUR_CS: Final = ("carat", "cut", "color", "clarity")
MEASUREMENTS: Final = ("depth", "table", "x", "y", "z")
FEATURES: Final = (*FOUR_CS, *MEASUREMENTS)
POSITIONS: Final[Mapping[str, int]] = {name: at for at, name in enumerate(FEATURES)}
