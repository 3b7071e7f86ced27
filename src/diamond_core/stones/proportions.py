"""What a stone of another weight measures."""

from __future__ import annotations

from typing import Any, Final

from diamond_core.stones.diamond import Diamond
from diamond_core.stones.fields import FIELDS

_LENGTHS: Final = ("x", "y", "z")


def values_at(diamond: Diamond, carat: float) -> dict[str, Any]:
    """Return the fields of a stone with the grades and proportions of *diamond* that weighs *carat*.

    The lengths x, y and z scale with the cube root of the weight, so that no stone is impossible.
    """
    scale = (carat / diamond.carat) ** (1.0 / 3.0)
    values = {name: getattr(diamond, name) for name in FIELDS} | {"carat": carat}
    scaled = {name: values[name] * scale for name in _LENGTHS if values[name] is not None}
    return values | scaled
