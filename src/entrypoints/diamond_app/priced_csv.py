"""Price a CSV of stones: it keeps its rows and columns and gets five more columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, BinaryIO, Final

from diamond_adapters.sources.csv_rows import CsvRows, columns_of, lacks, ragged
from diamond_app.csv_cells import neutralized
from diamond_core import PriceDiamonds, Progress, RawStones, SourceUnreadable, clean, no_progress
from diamond_core.stones.cleaning import missing_columns

ADDED: Final = ("predicted_price", "price_low", "price_high", "error", "warning")
_ROWS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class PricedCsv:
    """How many rows of a CSV were priced, how many were not, and the model."""

    good: int
    bad: int
    model_id: str


def price_csv(
    name: str,
    source: BinaryIO,
    size: int,
    target: IO[bytes],
    price_diamonds: PriceDiamonds,
    *,
    progress: Progress = no_progress,
    maximum: int | None = None,
    keep_formulas: bool = False,
) -> PricedCsv:
    """Price each row of the CSV *source* of *size* bytes, of at most *maximum* rows; write *target*.

    Rows keep their order and cells; a cell that is a formula is neutralized, unless
    *keep_formulas*. For a row that can't be priced, ``error`` has the reason; where a price must be
    read with care, ``warning`` says why. One model prices all rows. The memory does not grow with the number of rows, and what is written is about as large
    as the source.

    Raises:
        SourceUnreadable: it is not a CSV with the columns carat, cut, color and clarity; it has
            too many rows or columns, or too many of its rows lack cells.
        NoChampion: no model is served.
    """
    csv_rows = CsvRows(name, source)
    missing = missing_columns(csv_rows.columns, priced=False)
    if missing:
        raise SourceUnreadable(name, lacks(missing, csv_rows.header))
    rows = (row for row, _ in csv_rows.rows())
    text = io.TextIOWrapper(target, "utf-8", newline="", write_through=True)
    write_row = csv.writer(text, delimiter=csv_rows.delimiter, lineterminator="\n").writerow
    pinned = price_diamonds.pinned()
    good = bad = padding = 0
    width = len(csv_rows.header)
    write_row([*(csv_rows.header if keep_formulas else neutralized(csv_rows.header)), *ADDED])
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        if maximum is not None and good + bad + len(some) > maximum:
            raise SourceUnreadable(name, f"it has more than {maximum:,} rows; send it in parts")
        padding += sum(max(0, width - len(row)) for row in some)
        if padding > max(size, width):
            raise SourceUnreadable(
                name, f"too many rows have fewer fields than the header, which has {width}"
            )
        added = _price_rows(some, csv_rows, pinned)
        for row, cells in zip(some, added, strict=True):
            fitted = _fitted(row, width, csv_rows.delimiter)
            write_row([*(fitted if keep_formulas else neutralized(fitted)), *cells])
        failed = sum(cells[0] == "" for cells in added)
        good, bad = good + len(some) - failed, bad + failed
        progress("pricing the stones", source.tell() / max(size, 1))
    text.detach()  # so that the target stays open, and the source
    csv_rows.release()
    return PricedCsv(good, bad, pinned.card.id)


def _price_rows(
    rows: Sequence[Sequence[str]], csv_rows: CsvRows, price_diamonds: PriceDiamonds
) -> list[tuple[object, ...]]:
    """Return the added cells of each row."""
    header = csv_rows.header
    added: list[tuple[object, ...]] = [_failed(ragged(row, header)) for row in rows]
    whole = [index for index, row in enumerate(rows) if len(row) == len(header)]
    columns = columns_of([rows[index] for index in whole], csv_rows.columns)
    cleaned = clean(RawStones("", columns, whole), priced=False)
    for row in cleaned.rejected:
        added[row.line] = _failed("; ".join(row.reasons))
    rejected = {row.line for row in cleaned.rejected}
    good = [index for index in whole if index not in rejected]
    priced = price_diamonds.many(cleaned.table)
    numbers = (each.tolist() for each in (priced.prices, priced.lows, priced.highs))
    remarks, which = priced.remarks()
    cells = zip(*numbers, which.tolist(), strict=True)
    for index, (price, low, high, remark) in zip(good, cells, strict=True):
        added[index] = (price, low, high, "", remarks[remark].warning or "")
    for at, problem in price_diamonds.refusals(cleaned.table).items():
        added[good[at]] = _failed(f"{problem.field}: {problem.detail}")
    return added


def _failed(reason: str) -> tuple[object, ...]:
    return ("", "", "", reason, "")


def _fitted(row: Sequence[str], width: int, delimiter: str) -> Sequence[str]:
    """Return the row with *width* cells: pad a short one, join extra cells to the last one."""
    if len(row) == width:
        return row
    if len(row) < width:
        return [*row, *[""] * (width - len(row))]
    return [*row[: width - 1], delimiter.join(row[width - 1 :])]
