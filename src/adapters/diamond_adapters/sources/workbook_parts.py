"""What calamine does not tell of an ``.xlsx``: its errors, and whether it is a zip bomb."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, Final

from diamond_adapters.sources.csv_rows import MAXIMUM_COLUMNS

MAXIMUM_UNZIPPED: Final = 2_000_000_000
"""The maximum size of the decompressed parts, in bytes."""
Errors = dict[int, dict[int, str]]
"""The errors of a sheet: row -> place of the column, from 0 -> text, such as ``#DIV/0!``."""

_ERROR: Final = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]+)"[^>]* t="e"[^>]*>(?:<f[^>]*/>|<f[^<]*</f>)?<v>([^<]*)</v>'
)
_FAR: Final = re.compile(rb'r="(?:G[S-Z]|[H-Z][A-Z]|[A-Z]{3})[0-9]')
"""A cell beyond the 200th column: the memory that calamine takes grows with rows x columns."""


def errors_of_sheets(file: BinaryIO) -> dict[str, Errors]:
    """Return the errors of each sheet by its name; none if *file* is not an ``.xlsx``.

    Raises:
        zipfile.BadZipFile: it is damaged, or too large when it is decompressed.
    """
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return {}
    with zipfile.ZipFile(file) as parts:
        if sum(part.file_size for part in parts.infolist()) > MAXIMUM_UNZIPPED:
            raise zipfile.BadZipFile(f"decompressed, it has more than {MAXIMUM_UNZIPPED:,} bytes")
        found = {name: _errors(_blocks(parts, name)) for name in parts.namelist()}
        file.seek(0)
        return {sheet: found.get(name, {}) for sheet, name in _parts_of_sheets(parts).items()}


def _blocks(parts: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a part in blocks; each begins with the end of the one before."""
    with parts.open(name) as part:  # checks the size and the CRC, which bombs get wrong
        tail = b""
        while block := part.read(1 << 20):
            yield tail + block
            tail = block[-1000:]


def _errors(blocks: Iterator[bytes]) -> Errors:
    errors: Errors = {}
    for block in blocks:
        if _FAR.search(block):
            raise zipfile.BadZipFile(f"a sheet has more than {MAXIMUM_COLUMNS} columns")
        for letters, row, text in _ERROR.findall(block) if b't="e"' in block else ():
            place = -1
            for letter in letters:
                place = 26 * (place + 1) + letter - ord("A")
            errors.setdefault(int(row), {})[place] = html.unescape(text.decode())
    return errors


def _parts_of_sheets(parts: zipfile.ZipFile) -> dict[str, str]:
    """Return the name of the part of each sheet."""
    folder, book, links = "xl/", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {book, links} <= {*parts.namelist()}:
        return {}
    targets = {}
    for link in re.findall("<Relationship [^>]*>", parts.read(links).decode()):
        values = dict(re.findall(r'(Id|Target)="([^"]*)"', link))
        target = values.get("Target", "")
        targets[values.get("Id")] = target[1:] if target[:1] == "/" else folder + target
    sheets = re.findall(r'<sheet [^>]*name="([^"]*)"[^>]*r:id="([^"]*)"', parts.read(book).decode())
    return {html.unescape(name): targets.get(id, "") for name, id in sheets}
