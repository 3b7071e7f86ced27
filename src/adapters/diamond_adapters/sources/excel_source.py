"""The rows of a sheet of an Excel or OpenDocument workbook."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from diamond_adapters.installed import not_installed
from diamond_adapters.sources.csv_rows import column_names, columns_of, without_rows
from diamond_adapters.sources.expected import STONES, Expected
from diamond_adapters.sources.opened import Open, opened, rewindable
from diamond_adapters.sources.workbook_parts import Errors, errors_of_sheets
from diamond_core import BATCH_ROWS, RawStones, RejectedRow, SourceUnreadable

if TYPE_CHECKING:
    import pandas as pd

MAXIMUM_WORKBOOK: Final = 200_000_000
"""The maximum size of a workbook, in bytes."""
_HEADER_ROWS: Final = 20


class ExcelSource:
    """A ``StoneSource`` of one sheet of a workbook: ``.xlsx``, ``.xls``, ``.xlsb`` or ``.ods``.

    The header is the first of the top 20 rows that has the required columns, or else some of them,
    in any order and case; rows above it and columns without a name are ignored. Rows are numbered as in the sheet,
    which is in memory as a whole. An error such as ``#DIV/0!`` is found in ``.xlsx`` only;
    elsewhere it is a blank cell.

    Args:
        name: its name in messages and cards.
        open: opens the bytes; raises ``OSError`` if it can't.
        sheet: the sheet; default is the only one with such a header.
        expected: what the rows are.
    """

    def __init__(
        self, name: str, open: Open, *, sheet: str | None = None, expected: Expected = STONES
    ) -> None:
        self.name = name
        self._open = open
        self._sheet = sheet
        self._expected = expected

    def read(self) -> Iterator[RawStones]:
        with opened(self.name, self._open) as stream, rewindable(stream) as file:
            frame, at, errors = self._table(file)
        row: list[object] = frame.iloc[at].tolist()
        width = max(place for place, cell in enumerate(row, 1) if str(cell).strip())
        header = [str(cell) for cell in row[:width]]
        names = column_names(self.name, header)
        is_empty = True
        for start in range(at + 1, len(frame), BATCH_ROWS):
            cells = frame.iloc[start : start + BATCH_ROWS, :width].to_numpy().tolist()
            batch = self._batch(dict(enumerate(cells, start + 1)), header, names, errors)
            if batch.delivered:
                is_empty = False
                yield batch
        if is_empty:
            yield without_rows(self.name, header, names)

    def _batch(
        self,
        rows: Mapping[int, list[object]],
        header: Sequence[str],
        names: Sequence[str],
        errors: Errors,
    ) -> RawStones:
        delivered: list[tuple[int, Sequence[object]]] = []
        malformed: list[RejectedRow] = []
        for line, row in rows.items():
            cells = [None if cell == "" else cell for cell in row]
            for place, text in errors.get(line, {}).items():
                if place < len(cells):
                    cells[place] = text
            if all(cell is None or not str(cell).strip() for cell in cells):
                continue
            delivered.append((line, cells))
            fractions = [
                f"{name} {cell:g} is a fraction, as a cell with the format % has: write {100 * cell:.6g}"
                for name, cell in zip(names, cells, strict=True)
                if name in self._expected.percentages
                and isinstance(cell, (int, float))
                and 0 < cell <= 1
            ]
            if fractions:
                malformed.append(RejectedRow(line, tuple(fractions), self.name))
        refused = {row.line for row in malformed}
        whole = [(line, cells) for line, cells in delivered if line not in refused]
        columns = columns_of([cells for _, cells in whole], names)
        lines = [line for line, _ in whole]
        return RawStones(self.name, columns, lines, malformed, header, delivered)

    def _table(self, file: BinaryIO) -> tuple[pd.DataFrame, int, Errors]:
        """Return the cells of the sheet, the place of its header and its errors by row."""
        try:
            import pandas as pd
            import python_calamine
        except ImportError as ex:
            raise SourceUnreadable(self.name, not_installed(ex)) from ex
        if file.seek(0, 2) > MAXIMUM_WORKBOOK:
            raise SourceUnreadable(self.name, f"it has more than {MAXIMUM_WORKBOOK:,} bytes")
        file.seek(0)
        options: dict[str, Any] = {"header": None, "dtype": object, "na_filter": False}
        try:
            errors = errors_of_sheets(file)
            with pd.ExcelFile(file, engine="calamine") as book:
                tables = {
                    sheet: pd.read_excel(book, sheet_name=sheet, nrows=_HEADER_ROWS, **options)
                    for sheet in self._sheets(list(map(str, book.sheet_names)))
                }
                sheet, at = self._header(tables)
                return pd.read_excel(book, sheet_name=sheet, **options), at, errors.get(sheet, {})
        except python_calamine.PasswordError as ex:
            raise SourceUnreadable(self.name, "a password protects it") from ex
        except (python_calamine.CalamineError, zipfile.BadZipFile) as ex:
            reason = f"it is not a workbook, or it is damaged ({ex})"
            raise SourceUnreadable(self.name, reason) from ex

    def _sheets(self, sheets: list[str]) -> list[str]:
        if self._sheet is None:
            return sheets
        if self._sheet not in sheets:
            reason = f"it has no sheet {self._sheet!r}; its sheets are {_listed(sheets)}"
            raise SourceUnreadable(self.name, reason)
        return [self._sheet]

    def _header(self, tables: Mapping[str, pd.DataFrame]) -> tuple[str, int]:
        """Return the sheet with the rows, and the place of its header."""
        complete = replace(self._expected, lacking=0)
        found = _headers(tables, complete) or _headers(tables, self._expected)
        if len(found) > 1:
            reason = f"{len(found)} of its sheets have {self._expected.what}: {_listed(found)}"
            example = next(iter(found))
            raise SourceUnreadable(self.name, f"{reason}; name one, as in {self.name}#{example}")
        if not found:
            needed = ", ".join(self._expected.lacks([]))
            reason = f"no row among the first {_HEADER_ROWS} names the columns {needed}"
            raise SourceUnreadable(self.name, f"{reason}; its sheets are {_listed(tables)}")
        return found.popitem()


def _headers(tables: Mapping[str, pd.DataFrame], expected: Expected) -> dict[str, int]:
    """Return the place of the header in each sheet that has one."""
    found = {}
    for sheet, table in tables.items():
        for at, row in enumerate(table.to_numpy().tolist()):
            if expected.is_header(row):
                found[sheet] = at
                break
    return found


def _listed(sheets: Any) -> str:
    return ", ".join(repr(sheet) for sheet in sheets)
