"""A CSV of stones, priced: the same columns and rows, and four columns after them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from diamond_adapters.sources.csv_source import check_header, decode, delimiter_of
from diamond_core.cleaning import KNOWN_COLUMNS, RawStones, clean
from diamond_core.errors import SourceUnreadable
from diamond_core.ports import Progress, no_progress
from diamond_core.use_cases.price_diamonds import PriceDiamonds

ADDED: Final = ("predicted_price", "price_low", "price_high", "error")
_ROWS_AT_ONCE: Final = 20_000


def price_csv(
    name: str, data: bytes, price_diamonds: PriceDiamonds, progress: Progress = no_progress
) -> tuple[bytes, int, int]:
    """Price each row of the CSV *data*; return the new CSV, how many were priced, how many not.

    Rows keep their order and their cells. A row that can't be priced says why in ``error``.

    Raises:
        SourceUnreadable: it is no CSV with the columns carat, cut, color and clarity.
        NoChampion: no model has been trained yet.
    """
    text = decode(name, data)
    delimiter = delimiter_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as ex:
        raise SourceUnreadable(name, f"line {reader.line_num}: {ex}") from ex
    if not rows:
        raise SourceUnreadable(name, "it is empty; a header line is needed")
    header, *stones = rows
    columns = [cell.strip().casefold() for cell in header]
    check_header(name, columns, priced=False)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*header, *ADDED])
    priced = 0
    for start in range(0, len(stones), _ROWS_AT_ONCE):
        progress(f"pricing {len(stones):,} stones", start / len(stones))
        some = stones[start : start + _ROWS_AT_ONCE]
        added = _price_rows(some, columns, price_diamonds)
        for row, cells in zip(some, added, strict=True):
            writer.writerow([*_fitted(row, len(header), delimiter), *cells])
            priced += cells[0] != ""
    return out.getvalue().encode(), priced, len(stones) - priced


def _price_rows(
    rows: Sequence[Sequence[str]], columns: Sequence[str], price_diamonds: PriceDiamonds
) -> list[tuple[object, ...]]:
    """Return the four added cells of each row."""
    added: list[tuple[object, ...]] = [
        ("", "", "", f"has {len(row)} fields where the header has {len(columns)}") for row in rows
    ]
    whole = [index for index, row in enumerate(rows) if len(row) == len(columns)]
    values = {
        column: [rows[index][at] for index in whole]
        for at, column in enumerate(columns)
        if column in KNOWN_COLUMNS
    }
    cleaned = clean(RawStones("", values, whole), priced=False)
    for row in cleaned.rejected:
        added[row.line] = ("", "", "", "; ".join(row.reasons))
    rejected = {row.line for row in cleaned.rejected}
    good = [index for index in whole if index not in rejected]
    valuations = price_diamonds.many(cleaned.table)
    for index, price, low, high in zip(
        good,
        valuations.prices.tolist(),
        valuations.lows.tolist(),
        valuations.highs.tolist(),
        strict=True,
    ):
        added[index] = (price, low, high, "")
    return added


def _fitted(row: Sequence[str], width: int, delimiter: str) -> list[str]:
    """Return the row with *width* cells: short ones are filled, a surplus joins the last cell."""
    if len(row) <= width:
        return [*row, *[""] * (width - len(row))]
    return [*row[: width - 1], delimiter.join(row[width - 1 :])]
