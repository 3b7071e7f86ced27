"""The report's tables of the data: the training stones, and the rejected rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from diamond_adapters.report.charts import Table
from diamond_core.stones.cleaning import RejectedRow
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import GRADES, NUMBERS, PRICE

_SHOWN_ROWS: Final = 20
_SHARE: Final = re.compile(r"[0-9][0-9.e+-]* %")


def numbers_table(stones: DiamondTable) -> Table:
    """Return the range of each number and how often it is unknown."""
    rows = []
    for name in (*NUMBERS, PRICE.name):
        known = stones.column(name)[stones.known(name)]
        unknown = f"{1 - len(known) / len(stones):.1%}" if len(known) < len(stones) else "-"
        points = (
            [f"{value:,.6g}" for value in np.quantile(known, [0, 0.5, 1])]
            if len(known)
            else ["-"] * 3
        )
        rows.append([name, *points, unknown])
    return Table(["field", "minimum", "median", "maximum", "unknown"], rows)


def grades_table(stones: DiamondTable) -> Table:
    """Return how the stones are distributed over each field's grades."""
    rows = []
    for name, field in GRADES.items():
        numbers = stones.column(name)[stones.known(name)]
        counts = np.bincount(numbers, minlength=len(field.grades))
        shares = (
            f"{grade} {count / len(stones):.1%}"
            for grade, count in zip(field.grades, counts, strict=True)
        )
        rows.append([name, ", ".join(shares)])
    return Table(["field", "training stones by grade, worst first"], rows, words=2)


def rejected_tables(rejected: Sequence[RejectedRow]) -> tuple[Table, Table]:
    """Return the number of rejected rows by kind of reason, and the first rejected rows."""
    kinds = Counter(_kind(reason) for row in rejected for reason in row.reasons)
    counts = [[kind, f"{count:,}"] for kind, count in kinds.most_common(_SHOWN_ROWS)]
    several = len({row.source for row in rejected}) > 1
    first = [
        [f"{row.line:,}", *([row.source] if several else []), "; ".join(row.reasons)]
        for row in rejected[:_SHOWN_ROWS]
    ]
    columns = ["line", *(["source"] if several else []), "reasons"]
    return Table(["reason", "rows"], counts), Table(columns, first, words=3)


def _kind(reason: str) -> str:
    """Return a reason without the row's own value and percentages."""
    return _SHARE.sub("... %", reason.partition(", not ")[0])
