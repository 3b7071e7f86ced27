"""Price a CSV of stones: it keeps its rows and columns and gets five more columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final

import msgspec

from diamond_adapters.sources.csv_block import CsvBlock
from diamond_adapters.sources.csv_rows import CsvRows, columns_of, described, lacks, ragged
from diamond_app.csv_cells import SEPARATORS, CsvLines, is_without_formulas, neutralized
from diamond_app.priced_rows import (
    ADDED,
    PricedFile,
    PricedRows,
    PriceParts,
    in_this_thread,
    summed,
)
from diamond_app.responses import encode
from diamond_core import PriceDiamonds, Progress, SourceUnreadable, no_progress
from diamond_core.stones.cleaning import missing_columns
from diamond_core.stones.fields import NUMBERS


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
    price_parts: PriceParts | None = None,
) -> PricedFile:
    """Price each row of the CSV *source* of *size* bytes, of at most *maximum* rows; write *target*.

    Rows keep their order and cells; a cell that is a formula is neutralized, unless
    *keep_formulas*. For a row that can't be priced, ``error`` has the reason; where a price must be
    read with care, ``warning`` says why. One model prices all rows. The memory does not grow with
    the number of rows, and what is written is about as large as the source. By default *price_parts*
    prices in this thread.

    Raises:
        SourceUnreadable: it is not a CSV with the columns carat, cut, color and clarity; it has
            too many rows or columns, or too many of its rows lack cells.
        NoChampion: no model is served.
    """
    csv_rows = CsvRows(name, source)
    missing = missing_columns(csv_rows.columns, priced=False)
    if missing:
        raise SourceUnreadable(name, lacks(missing, csv_rows.header))
    header, delimiter = csv_rows.header, csv_rows.delimiter
    pinned = price_diamonds.pinned()
    price_parts = price_parts or in_this_thread(pinned)
    head = header if keep_formulas else neutralized(header)
    (line,) = CsvLines(delimiter).of([[*head, *ADDED]])
    target.write(f"{line}\n".encode())
    price = _PriceBlock(header, csv_rows.columns, delimiter, keep_formulas)
    good = padding = 0
    reasons: Counter[str] = Counter()
    for part in price_parts(price, csv_rows.blocks()):
        good, padding = good + part.good, padding + part.padding
        reasons = summed(reasons, part.reasons)
        if maximum is not None and good + reasons.total() > maximum:
            raise SourceUnreadable(name, f"it has more than {maximum:,} rows; send it in parts")
        if padding > max(size, len(header)):
            raise SourceUnreadable(
                name, f"too many rows have fewer fields than the header, which has {len(header)}"
            )
        target.write(part.text)
        progress("pricing the stones", source.tell() / max(size, 1))
    csv_rows.release()
    return PricedFile(good, reasons.total(), reasons, pinned.card.id)


@dataclass(frozen=True, slots=True)
class _PricedBlock:
    """A block with its new cells: its text, and how many cells its rows lacked."""

    text: bytes
    good: int
    reasons: Counter[str]
    padding: int


@dataclass(frozen=True, slots=True)
class _PriceBlock:
    """Prices the blocks of a CSV with this header."""

    header: Sequence[str]
    columns: Sequence[str]
    delimiter: str
    keep_formulas: bool

    def __call__(self, block: CsvBlock, price_diamonds: PriceDiamonds) -> _PricedBlock:
        plain = block.plain_columns(len(self.header))
        if plain is not None:
            lines, columns = plain
            read = _with_numbers(described(self.columns, columns))
            priced = PricedRows.of(read, len(lines), price_diamonds)
            if not self._is_as_written("\n".join(lines)):
                lines = self._lines(zip(*columns, strict=True))
            return self._priced(lines, priced)
        rows, width = [row for _, row in block.rows()], len(self.header)
        errors = {at: ragged(row, self.header) for at, row in enumerate(rows) if len(row) != width}
        whole = [row for row in rows if len(row) == width]
        read = _with_numbers(columns_of(whole, self.columns))
        priced = PricedRows.of(read, len(whole), price_diamonds)
        places = [at for at in range(len(rows)) if at not in errors]
        padding = sum(max(0, width - len(rows[at])) for at in errors)
        lines = self._lines(map(self._fitted, rows))
        return self._priced(lines, priced.spread(places, errors), padding)

    def _is_as_written(self, text: str) -> bool:
        """Return whether lines without quotes would be written again as they are."""
        if self.delimiter not in SEPARATORS:
            return False
        return self.keep_formulas or is_without_formulas(text, self.delimiter)

    def _lines(self, rows: Iterable[Sequence[str]]) -> list[str]:
        """Return the line of each row."""
        return CsvLines(self.delimiter).of(rows if self.keep_formulas else map(neutralized, rows))

    def _priced(self, own: list[str], priced: PricedRows, padding: int = 0) -> _PricedBlock:
        """Return the lines with the new cells."""
        delimiter = self.delimiter
        amounts = encode(priced.amounts.tolist())[2:-2].decode().replace("null", "")
        notes = list(set(priced.notes))
        ends = (f"{delimiter}{line}\n" for line in CsvLines(delimiter).of(notes))
        end_of = dict(zip(notes, ends, strict=True))
        pieces = [delimiter] * (4 * len(own))
        pieces[0::4] = own
        if own:
            pieces[2::4] = amounts.replace("],[", "\n").replace(",", delimiter).split("\n")
        pieces[3::4] = map(end_of.__getitem__, priced.notes)
        return _PricedBlock("".join(pieces).encode(), priced.good, priced.reasons, padding)

    def _fitted(self, row: list[str]) -> list[str]:
        """Return the row as wide as the header: pad a short one, join extra cells to the last one."""
        width = len(self.header)
        if len(row) > width:
            return [*row[: width - 1], self.delimiter.join(row[width - 1 :])]
        return row + [""] * (width - len(row))


_decode_numbers: Final = msgspec.json.Decoder(list[float]).decode
_decode_numbers_or_null: Final = msgspec.json.Decoder(list[float | None]).decode


def _with_numbers(columns: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[object]]:
    """Return *columns* with numbers and None instead of texts if all numbers are written as in JSON.

    Otherwise they are returned as they are: in other notations, a column can say how to read
    another one.
    """
    read: dict[str, Sequence[object]] = dict(columns)
    for name in NUMBERS.keys() & columns.keys():
        texts = columns[name]
        numbers: Sequence[float | None]
        try:
            if blank := texts.count(""):
                given = ",".join(text or "null" for text in texts)
                numbers = _decode_numbers_or_null(f"[{given}]")
                if numbers.count(None) != blank:
                    return columns
            else:
                numbers = _decode_numbers(f"[{','.join(texts)}]")
        except ValueError:
            return columns
        if len(numbers) != len(texts):
            return columns
        read[name] = numbers
    return read
