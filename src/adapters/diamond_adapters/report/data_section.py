"""The report's sections on the data: what the model learned from, and what was left out."""

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
from diamond_core.cleaning import RejectedRow
from diamond_core.diamond import GRADES, LIMITS
from diamond_core.ports import Training

_SHOWN_ROWS: Final = 20
_SHARE: Final = re.compile(r"[0-9][0-9.e+-]* %")


def data_section(training: Training) -> str:
    """Return what is known of the training stones: counts, ranges, distributions."""
    stones, data = training.stones, training.card.data
    rows = []
    for name in (*LIMITS, "price"):
        values = stones.column(name)
        known = values[~np.isnan(values)]
        missing = f"{1 - len(known) / len(values):.1%}" if len(known) < len(values) else "-"
        points = np.quantile(known, [0, 0.5, 1]) if len(known) else [np.nan] * 3
        rows.append([name, *(f"{value:,.6g}" for value in points), missing])
    grades = [
        [
            field,
            ", ".join(
                f"{grade.value} {count / len(stones):.1%}"
                for grade, count in zip(
                    members, np.bincount(stones.column(field), minlength=len(members)), strict=True
                )
            ),
        ]
        for field, members in GRADES.items()
    ]
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
        + f"<div>{table(['', 'least', 'median', 'most', 'unknown'], rows)}</div>"
        + f"<div>{table(['', 'training stones by grade, worst first'], grades, words=2)}</div>"
        + "</div></section>"
    )


def rejected_section(rejected: Sequence[RejectedRow]) -> str:
    """Return the rows that were left out: how many for which kind of reason, and the first."""
    if not rejected:
        return "<section><h2>Rows left out</h2><p class='note'>None: every row was a stone.</p></section>"
    # A reason without its own value and percentages is a kind of reason.
    kinds = Counter(
        _SHARE.sub("... %", reason.partition(", not ")[0])
        for row in rejected
        for reason in row.reasons
    )
    counts = [[reason, f"{count:,}"] for reason, count in kinds.most_common(_SHOWN_ROWS)]
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
