"""Price a CSV of stones: it keeps its rows and columns and gets four more columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from diamond_adapters.sources.csv_source import CsvRows, columns_of, lacks, ragged
from diamond_core import PriceDiamonds, Progress, RawStones, SourceUnreadable, clean, no_progress
from diamond_core.stones.cleaning import missing_columns

ADDED: Final = ("predicted_price", "price_low", "price_high", "error")
_ROWS_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class PricedCsv:
    """A priced CSV: its bytes, how many rows were priced, how many were not, and the model."""

    data: bytes
    good: int
    bad: int
    model_id: str


def price_csv(
    name: str,
    data: bytes,
    price_diamonds: PriceDiamonds,
    progress: Progress = no_progress,
    maximum: int | None = None,
) -> PricedCsv:
    """Price each row of the CSV *data*, of at most *maximum* rows.

    Rows keep their order and cells. For a row that can't be priced, ``error`` has the reason.

    Raises:
        SourceUnreadable: it is not a CSV with the columns carat, cut, color and clarity, or it
            has too many rows.
        NoChampion: no model is served.
    """
    stream = io.BytesIO(data)
    csv_rows = CsvRows(name, stream)
    missing = missing_columns(csv_rows.columns, priced=False)
    if missing:
        raise SourceUnreadable(name, lacks(missing, csv_rows.header))
    rows = (row for row, _ in csv_rows.rows())
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=csv_rows.delimiter, lineterminator="\n")
    writer.writerow([*csv_rows.header, *ADDED])
    good = bad = 0
    model_id = ""
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        if maximum is not None and good + bad + len(some) > maximum:
            raise SourceUnreadable(name, f"it has more than {maximum:,} rows; send it in parts")
        added, model_id = _price_rows(some, csv_rows, price_diamonds)
        for row, cells in zip(some, added, strict=True):
            writer.writerow([*_fitted(row, len(csv_rows.header), csv_rows.delimiter), *cells])
        failed = sum(cells[0] == "" for cells in added)
        good, bad = good + len(some) - failed, bad + failed
        progress("pricing the stones", stream.tell() / len(data))
    return PricedCsv(out.getvalue().encode(), good, bad, model_id)


def _price_rows(
    rows: Sequence[Sequence[str]], csv_rows: CsvRows, price_diamonds: PriceDiamonds
) -> tuple[list[tuple[object, ...]], str]:
    """Return the four added cells of each row, and the id of the model that priced them."""
    header = csv_rows.header
    added: list[tuple[object, ...]] = [("", "", "", ragged(row, header)) for row in rows]
    whole = [index for index, row in enumerate(rows) if len(row) == len(header)]
    columns = columns_of([rows[index] for index in whole], csv_rows.columns)
    cleaned = clean(RawStones("", columns, whole), priced=False)
    for row in cleaned.rejected:
        added[row.line] = ("", "", "", "; ".join(row.reasons))
    rejected = {row.line for row in cleaned.rejected}
    good = [index for index in whole if index not in rejected]
    priced = price_diamonds.many(cleaned.table)
    cells = zip(priced.prices.tolist(), priced.lows.tolist(), priced.highs.tolist(), strict=True)
    for index, (price, low, high) in zip(good, cells, strict=True):
        added[index] = (price, low, high, "")
    return added, priced.card.id


def _fitted(row: Sequence[str], width: int, delimiter: str) -> list[str]:
    """Return the row with *width* cells: pad a short one, join extra cells to the last one."""
    if len(row) <= width:
        return [*row, *[""] * (width - len(row))]
    return [*row[: width - 1], delimiter.join(row[width - 1 :])]
