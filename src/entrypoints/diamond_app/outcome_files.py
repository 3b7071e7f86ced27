"""Read outcomes from files: CSV, Excel or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from diamond_adapters.sources.csv_rows import lacks
from diamond_adapters.sources.expected import Expected
from diamond_core import (
    PRICE,
    DiamondError,
    OutcomeReport,
    RawStones,
    SourceUnreadable,
    StoneSource,
)
from diamond_core.stones.notation import Notation
from diamond_core.stones.stone_records import as_text

_COLUMNS: Final = {
    "id": ("id", "prediction", "prediction_id"),
    "price_paid": ("price_paid", "paid", "price"),
    "date": ("date", "paid_on"),
    "note": ("note",),
}
"""What a file of outcomes can have -> the names of its column."""
_REQUIRED: Final = ("id", "price_paid")


class OutcomeRow(NamedTuple):
    """A row of a file: its line, its id, and its report, or else what is wrong with it."""

    line: int
    id: str
    report: OutcomeReport | None
    problem: str = ""


def read_outcomes(source: StoneSource, today: date) -> Iterator[OutcomeRow]:
    """Yield the rows of a source, which is read in batches.

    Raises:
        SourceUnreadable: it can't be read, or lacks a column.
    """
    for raw in source.read():
        rows = _rows(raw, today)
        del raw  # so that only one batch is in memory
        yield from rows


def _rows(raw: RawStones, today: date) -> Iterator[OutcomeRow]:
    places = _places(raw.header)
    if missing := [name for name in _REQUIRED if name not in places]:
        raise SourceUnreadable(raw.source, lacks(missing, [str(each) for each in raw.header]))
    for name, several in places.items():
        if len(several) > 1:
            names = " and ".join(str(raw.header[at]) for at in several)
            raise SourceUnreadable(raw.source, f"{names} both mean {name}: keep one")
    malformed = {row.line: "; ".join(row.reasons) for row in raw.malformed}
    prices = [
        cells[places["price_paid"][0]] for line, cells in raw.delivered if line not in malformed
    ]
    notation = Notation({PRICE.name: prices})
    for line, cells in raw.delivered:
        if line in malformed:
            yield OutcomeRow(line, "", None, malformed[line])
            continue
        values = {name: cells[at] for name, (at,) in places.items()}
        id = as_text(values.pop("id")).lower()
        price = notation.read(PRICE, values["price_paid"])
        if price is not None:
            values["price_paid"] = price
        if "note" in values:  # a cell of a workbook can be a number
            values["note"] = as_text(values["note"])
        try:
            yield OutcomeRow(line, id, OutcomeReport.parse(id, values, today, text=True))
        except DiamondError as ex:
            yield OutcomeRow(line, id, None, str(ex))


def _places(header: Sequence[object]) -> dict[str, list[int]]:
    """Return where the known columns are."""
    names = [str(name).strip().casefold().replace(" ", "_") for name in header]
    places = {
        name: [at for at, each in enumerate(names) if each in spellings]
        for name, spellings in _COLUMNS.items()
    }
    return {name: some for name, some in places.items() if some}


def _missing(header: Sequence[str]) -> list[str]:
    return [name for name in _REQUIRED if name not in _places(header)]


OUTCOMES: Final = Expected(what="outcomes", missing=_missing, lacking=1)
