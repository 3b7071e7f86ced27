"""Write workbooks and Parquet files for tests."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

OFFICE = "http://schemas.openxmlformats.org"
MAIN = f'xmlns="{OFFICE}/spreadsheetml/2006/main"'
LINKS = f'xmlns:r="{OFFICE}/officeDocument/2006/relationships"'
KIND = f"{OFFICE}/officeDocument/2006/relationships"
TYPES = (
    f'<Types xmlns="{OFFICE}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
STYLES = f'<styleSheet {MAIN}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'


def write_workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[object]]]) -> None:
    """Write an ``.xlsx`` with *sheets* of rows; a text that begins with # is an error."""
    links = [("officeDocument", "xl/workbook.xml")]
    books = [("styles", "styles.xml")]
    books += [("worksheet", f"worksheets/sheet{at}.xml") for at in range(len(sheets))]
    names = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at + 1}" r:id="rId{at + 1}"/>'
        for at, name in enumerate(sheets)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, text in (
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", _links(links)),
            ("xl/workbook.xml", f"<workbook {MAIN} {LINKS}><sheets>{names}</sheets></workbook>"),
            ("xl/_rels/workbook.xml.rels", _links(books)),
            ("xl/styles.xml", STYLES),
        ):
            parts.writestr(zipfile.ZipInfo(name), text)
        for at, rows in enumerate(sheets.values()):
            part = zipfile.ZipInfo(f"xl/worksheets/sheet{at}.xml")
            part.compress_type = zipfile.ZIP_DEFLATED
            parts.writestr(part, "".join(_sheet(rows)))


def _links(links: Sequence[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{at}" Type="{KIND}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(links)
    )
    return f'<Relationships xmlns="{OFFICE}/package/2006/relationships">{found}</Relationships>'


def _sheet(rows: Iterable[Sequence[object]]) -> Iterable[str]:
    yield f"<worksheet {MAIN}><sheetData>"
    for number, row in enumerate(rows, 1):
        cells = (_cell(f"{_letters(at)}{number}", value) for at, value in enumerate(row))
        yield f'<row r="{number}">{"".join(cells)}</row>'
    yield "</sheetData></worksheet>"


def _letters(at: int) -> str:
    return chr(65 + at) if at < 26 else _letters(at // 26 - 1) + chr(65 + at % 26)


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    if str(value).startswith("#"):
        return f'<c r="{place}" t="e"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    """Write a Parquet file of *columns*: arrays of arro3, numbers as float64, or text."""
    from arro3.core import Array, DataType, Table
    from arro3.io import write_parquet

    def array(values):
        if isinstance(values, Array):
            return values
        is_text = any(isinstance(value, str) for value in values)
        return Array(list(values), DataType.string() if is_text else DataType.float64())

    table = Table.from_pydict({name: array(values) for name, values in columns.items()})
    write_parquet(table, path)
