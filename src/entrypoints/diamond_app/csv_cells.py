"""Cells of a CSV that spreadsheets do not take for formulas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_BEGINS_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # their wide forms too
_NUMBER: Final = re.compile(r"[+-]?[0-9.,]+([eE][+-]?[0-9]+)?%?")


def neutralized(cells: Sequence[str]) -> Sequence[str]:
    """Return the cells with an apostrophe before each that a spreadsheet would calculate.

    Numbers stay as they are. https://owasp.org/www-community/attacks/CSV_Injection
    """
    if _BEGINS_FORMULA.isdisjoint(cell[:1] for cell in cells):
        return cells
    return [
        f"'{cell}" if cell[:1] in _BEGINS_FORMULA and not _NUMBER.fullmatch(cell) else cell
        for cell in cells
    ]
