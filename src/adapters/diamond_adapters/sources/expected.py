"""What a file must have to be a file of stones, or of something else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from diamond_core.stones.cleaning import missing_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is looked for in a file.

    Attributes:
        what: its plural, for messages.
        missing: returns the required columns that are not among some names in lower case.
        lacking: a row that lacks at most so many of the required columns is still a header.
        percentages: the columns with percentages, which a workbook can have as fractions.
    """

    what: str
    missing: Callable[[Sequence[str]], Sequence[str]]
    lacking: int
    percentages: Collection[str] = ()

    def lacks(self, header: Iterable[object]) -> Sequence[str]:
        """Return the required columns that a *header* lacks."""
        return self.missing([str(cell).strip().casefold() for cell in header])

    def is_header(self, cells: Iterable[object]) -> bool:
        """Return whether a row with these *cells* can be the header."""
        return len(self.lacks(cells)) <= self.lacking


STONES: Final = Expected(
    what="stones", missing=missing_columns, lacking=3, percentages=("depth", "table")
)
