"""The report's tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def figure(drawing: str, caption: str) -> str:
    """Return an SVG *drawing* with its caption."""
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Return an HTML table; cells after the first *words* columns are aligned to the right."""
    head = "".join(f"<th{_style(at, words)}>{escape(name)}</th>" for at, name in enumerate(columns))
    body = "".join(
        "<tr>"
        + "".join(f"<td{_style(at, words)}>{escape(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _style(at: int, words: int) -> str:
    return "" if at < words else " class='number'"
