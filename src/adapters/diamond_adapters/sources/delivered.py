"""The rows of a batch as they were delivered, made from its columns when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from operator import itemgetter
from typing import Any

Row = tuple[int, Sequence[object]]
"""The line of a row, and its cells."""


class Delivered(Sequence[Row]):
    """The line and the cells of every row, in the order of lines.

    Millions of rows that exist one by one would cost more than all that is done with them.

    Args:
        lines: the line of each row that has all cells.
        columns: returns their cells, column by column.
        ragged: the other rows.
    """

    def __init__(
        self,
        lines: Sequence[int],
        columns: Callable[[], Sequence[Sequence[object]]],
        ragged: Sequence[Row] = (),
    ) -> None:
        self._lines = lines
        self._columns = columns
        self._ragged = ragged

    def __len__(self) -> int:
        return len(self._lines) + len(self._ragged)

    def __iter__(self) -> Iterator[Row]:
        rows = zip(self._lines, zip(*self._columns(), strict=True), strict=True)
        return merge(rows, self._ragged, key=itemgetter(0)) if self._ragged else iter(rows)

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]
