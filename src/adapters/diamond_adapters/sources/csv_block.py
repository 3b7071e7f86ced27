"""Whole rows of CSV text, and their cells column by column."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from diamond_adapters.sources.delivered import Row
from diamond_core import SourceUnreadable


@dataclass(frozen=True, slots=True)
class CsvCells:
    """The cells of some rows: column by column, and those of ragged rows by row.

    Attributes:
        lines: the line on which each row ends that is as wide as the header.
        columns: their cells.
        ragged: the other rows.
    """

    lines: list[int]
    columns: Sequence[list[str]]
    ragged: list[Row]

    def __len__(self) -> int:
        return len(self.lines) + len(self.ragged)

    def extend(self, other: Self) -> None:
        """Add the rows of *other*, which come later."""
        self.lines.extend(other.lines)
        self.ragged.extend(other.ragged)
        for column, cells in zip(self.columns, other.columns, strict=True):
            column.extend(cells)

    def cut(self, size: int) -> Self:
        """Keep the first *size* rows; return the others."""
        whole, ragged = len(self.lines), len(self.ragged)
        if len(self) > size:
            others = [line for line, _ in self.ragged]
            last = sorted([*self.lines, *others])[size - 1]
            whole, ragged = bisect_right(self.lines, last), bisect_right(others, last)
        columns = [column[whole:] for column in self.columns]
        rest = type(self)(self.lines[whole:], columns, self.ragged[ragged:])
        for column in self.columns:
            del column[whole:]
        del self.lines[whole:]
        del self.ragged[ragged:]
        return rest


@dataclass(frozen=True, slots=True)
class CsvBlock:
    """Some whole rows of a CSV, not yet split into cells: that can be done in another process.

    Attributes:
        name: the name of the CSV in messages.
        delimiter: the separator of the cells.
        line: how many lines of the CSV come before it.
        text: the rows.
    """

    name: str
    delimiter: str
    line: int
    text: str

    def rows(self) -> list[tuple[int, list[str]]]:
        """Return the cells of each row, and the line on which it ends; blank rows are skipped.

        Raises:
            SourceUnreadable: a cell is too long.
        """
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter)
        try:
            return [
                (self.line + reader.line_num, row)
                for row in reader
                if row and (row[0].strip() or "".join(row).strip())
            ]
        except csv.Error as ex:
            line = self.line + reader.line_num
            raise SourceUnreadable(self.name, f"line {line}: {ex}") from ex

    def cells(self, width: int) -> CsvCells:
        """Return the cells of all rows, of which those with *width* cells are not ragged.

        Raises:
            SourceUnreadable: a cell is too long.
        """
        plain = self.plain_columns(width)
        if plain is not None:
            lines, columns = plain
            first = self.line + 1
            return CsvCells([*range(first, first + len(lines))], columns, [])
        rows = self.rows()
        whole = [(line, row) for line, row in rows if len(row) == width]
        by_column = zip(*(row for _, row in whole), strict=True)
        return CsvCells(
            [line for line, _ in whole],
            [*map(list, by_column)] or [[] for _ in range(width)],
            [(line, row) for line, row in rows if len(row) != width],
        )

    def plain_columns(self, width: int) -> tuple[list[str], list[list[str]]] | None:
        """Return the rows as lines without their ends, and the *width* columns of their cells.

        None if something is in quotes, or if a row is blank or has more or fewer cells; otherwise
        this is far faster than ``rows``.
        """
        text = self.text.replace("\r\n", "\n")
        if '"' in text or "\r" in text:
            return None
        text, delimiter = text.removesuffix("\n"), self.delimiter
        lines = text.split("\n")
        is_even = {line.count(delimiter) for line in lines} == {width - 1}
        if not is_even or max(map(len, lines)) > csv.field_size_limit():
            return None
        cells = text.replace("\n", delimiter).split(delimiter)
        columns = [cells[at::width] for at in range(width)]
        for at, first in enumerate(columns[0]):
            if not first.strip() and not any(column[at].strip() for column in columns):
                return None
        return lines, columns
