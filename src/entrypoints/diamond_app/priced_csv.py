"""A CSV of stones, priced: the same columns and rows, and four columns after them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from diamond_adapters.sources.csv_source import check_header, decode, delimiter_of
from diamond_core.cleaning import KNOWN_COLUMNS, RawStones, clean
from diamond_core.errors import SourceUnreadable
from diamond_core.ports import Progress, no_progress
from diamond_core.use_cases.price_diamonds import PriceDiamonds

ADDED: Final = ("predicted_price", "price_low", "price_high", "error")
_ROWS_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class PricedCsv:
    """A priced CSV: its bytes, how many rows were priced, how many not, and by which model."""

    data: bytes
    good: int
    bad: int
    model_id: str


def price_csv(
    name: str,
    data: bytes,
    price_diamonds: PriceDiamonds,
    progress: Progress = no_progress,
    most: int | None = None,
) -> PricedCsv:
    """Price each row of the CSV *data*, of which there may be *most*.

    Rows keep their order and their cells. A row that can't be priced says why in ``error``.

    Raises:
        SourceUnreadable: it is no CSV with the columns carat, cut, color and clarity, or too long.
        NoChampion: no model has been trained yet.
    """
    text = decode(name, data)
    delimiter = delimiter_of(text)
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter)
    rows = (row for row in reader if any(cell.strip() for cell in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    good = bad = 0
    model_id = ""
    try:
        header = next(rows, None)
        if header is None:
            raise SourceUnreadable(name, "it is empty; a header line is needed")
        columns = [cell.strip().casefold() for cell in header]
        check_header(name, columns, priced=False)
        writer.writerow([*header, *ADDED])
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            if most is not None and good + bad + len(some) > most:
                raise SourceUnreadable(name, f"it has more than {most:,} rows; send it in parts")
            added, model_id = _price_rows(some, columns, price_diamonds)
            for row, cells in zip(some, added, strict=True):
                writer.writerow([*_fitted(row, len(header), delimiter), *cells])
            failed = sum(cells[0] == "" for cells in added)
            good, bad = good + len(some) - failed, bad + failed
            progress("pricing the stones", stream.tell() / len(text))
    except csv.Error as ex:
        raise SourceUnreadable(name, f"line {reader.line_num}: {ex}") from ex
    return PricedCsv(out.getvalue().encode(), good, bad, model_id)


def _price_rows(
    rows: Sequence[Sequence[str]], columns: Sequence[str], price_diamonds: PriceDiamonds
) -> tuple[list[tuple[object, ...]], str]:
    """Return the four added cells of each row, and the id of the model that priced."""
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
    return added, valuations.card.id


def _fitted(row: Sequence[str], width: int, delimiter: str) -> list[str]:
    """Return the row with *width* cells: short ones are filled, a surplus joins the last cell."""
    if len(row) <= width:
        return [*row, *[""] * (width - len(row))]
    return [*row[: width - 1], delimiter.join(row[width - 1 :])]
