"""Cells and lines of a CSV that is written."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

_BEGINS_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # their wide forms too
_NUMBER: Final = re.compile(r"[+-]?[0-9.,]+([eE][+-]?[0-9]+)?%?")
SEPARATORS: Final = ",;\t"
"""The usual separators of cells."""


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


def is_without_formulas(text: str, delimiter: str) -> bool:
    """Return whether no cell of CSV *text* would be neutralized; nothing in it is in quotes.

    *delimiter* is one of ``SEPARATORS``. Far faster than to look at each cell.
    """
    begins = [each for each in _BEGINS_FORMULA - {delimiter, "\r", "\n"} if each in text]
    starts = [start + each for each in begins for start in (delimiter, "\n")]
    if not text.startswith(tuple(begins)) and not any(start in text for start in starts):
        return True
    return _formula(delimiter).search(text) is None


@cache
def _formula(delimiter: str) -> re.Pattern[str]:
    """Return what finds the beginning of a cell without quotes that is a formula."""
    begins = re.escape("".join(sorted(_BEGINS_FORMULA - {delimiter, "\r", "\n"})))
    number = _NUMBER.pattern.replace(",", "") if delimiter == "," else _NUMBER.pattern
    return re.compile(
        rf"(?:^|{delimiter})(?!(?:{number})(?:{delimiter}|$))[{begins}]", re.MULTILINE
    )


class CsvLines:
    """Writes rows as lines of a CSV."""

    def __init__(self, delimiter: str) -> None:
        self._lines: list[str] = []
        self._write = csv.writer(self, delimiter=delimiter, lineterminator="\n").writerow

    def write(self, line: str) -> None:
        """Take a line from the ``csv`` module."""
        self._lines.append(line)

    def of(self, rows: Iterable[Iterable[object]]) -> list[str]:
        """Return each row as a line, without its end."""
        self._lines.clear()
        for row in rows:
            self._write(row)
        return [line[:-1] for line in self._lines]
