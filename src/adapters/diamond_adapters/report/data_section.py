"""The report's sections on the data: the training stones, and the rows that were left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np

from diamond_adapters.report import charts
from diamond_adapters.report.scales import dollars
from diamond_adapters.report.table import figure, table
from diamond_core.models.model_card import DataSummary
from diamond_core.stones.cleaning import RejectedRow
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import GRADES, NUMBERS, PRICE

_SHOWN_ROWS: Final = 20
_SHARE: Final = re.compile(r"[0-9][0-9.e+-]* %")


def data_section(stones: DiamondTable, data: DataSummary) -> str:
    """Return what is known of the training *stones*: counts, ranges, distributions."""
    return (
        "<section><h2>What it learned from</h2>"
        f"<p class='note'>{escape(data.source)}: {data.rows:,} rows, {data.rejected:,} left out,"
        f" {data.training_rows:,} to learn from, {data.holdout_rows:,} held out.</p>"
        "<div class='pair'>"
        + figure(charts.histogram(stones.price, "price", dollars), "Prices of the training stones.")
        + figure(
            charts.histogram(stones.carat, "carat", lambda value: f"{value:g}"),
            "Weights of the training stones, in carats.",
        )
        + f"<div>{_numbers(stones)}</div><div>{_grades(stones)}</div></div></section>"
    )


def _numbers(stones: DiamondTable) -> str:
    rows = []
    for name in (*NUMBERS, PRICE.name):
        known = stones.column(name)[stones.known(name)]
        unknown = f"{1 - len(known) / len(stones):.1%}" if len(known) < len(stones) else "-"
        points = np.quantile(known, [0, 0.5, 1]) if len(known) else [np.nan] * 3
        rows.append([name, *(f"{value:,.6g}" for value in points), unknown])
    return table(["", "minimum", "median", "maximum", "unknown"], rows)


def _grades(stones: DiamondTable) -> str:
    rows = []
    for name, field in GRADES.items():
        numbers = stones.column(name)[stones.known(name)]
        counts = np.bincount(numbers, minlength=len(field.grades))
        shares = (
            f"{grade} {count / len(stones):.1%}"
            for grade, count in zip(field.grades, counts, strict=True)
        )
        rows.append([name, ", ".join(shares)])
    return table(["", "training stones by grade, worst first"], rows, words=2)


def rejected_section(rejected: Sequence[RejectedRow]) -> str:
    """Return the rows that were left out: how many for which kind of reason, and the first."""
    if not rejected:
        return "<section><h2>Rows left out</h2><p class='note'>None: every row was a stone.</p></section>"
    kinds = Counter(_kind(reason) for row in rejected for reason in row.reasons)
    counts = [[kind, f"{count:,}"] for kind, count in kinds.most_common(_SHOWN_ROWS)]
    several = len({row.source for row in rejected}) > 1
    columns = ["line", *(["source"] if several else []), "reasons"]
    first = [
        [f"{row.line:,}", *([row.source] if several else []), "; ".join(row.reasons)]
        for row in rejected[:_SHOWN_ROWS]
    ]
    more = len(rejected) - len(first)
    note = f"<p class='note'>... and {more:,} more.</p>" if more > 0 else ""
    return (
        f"<section><h2>Rows left out</h2><p class='note'>{len(rejected):,} rows could not be used;"
        " a row may have several reasons.</p><div class='pair'>"
        f"<div>{table(['reason', 'rows'], counts)}</div>"
        f"<div>{table(columns, first, words=3)}{note}</div></div></section>"
    )


def _kind(reason: str) -> str:
    """Return a reason without the row's own value and percentages."""
    return _SHARE.sub("... %", reason.partition(", not ")[0])
