"""The rows of CSV text, read from a stream."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, Final

from diamond_adapters.sources.delivered import Delivered
from diamond_core import RawStones, RejectedRow, SourceUnreadable
from diamond_core.stones.cleaning import READ_COLUMNS

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
MAXIMUM_COLUMNS: Final = 200
_AT_ONCE: Final = 1_000
"""The number of rows that exist as such at a time, before they become columns."""
_MAXIMUM_LINE: Final = 1_000_000
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""Excel's own first line: it names the separator of the cells."""


class CsvRows:
    """The rows of a CSV, read from a stream a few at a time.

    Args:
        name: its name in messages.
        file: the bytes.
        encoding: the encoding of text without a byte order mark.
        advice: what a message says to do with text of another encoding.

    Attributes:
        header: the cells of the header line.
        columns: the same cells as column names: stripped, in lower case.
        delimiter: the separator of the cells.

    Raises:
        SourceUnreadable: it has another encoding, is empty, names a column twice, or has too many
            columns.
    """

    def __init__(
        self,
        name: str,
        file: BinaryIO,
        encoding: str = "UTF-8",
        advice: str = "save it as UTF-8",
    ) -> None:
        self._name = name
        self._advice = advice
        start = io.BufferedReader(file)  # type: ignore[type-var]  # any stream that can be read
        mark = start.peek(3)[:3]
        if mark == _UTF8_MARK:
            encoding = "UTF-8"
        elif mark[:2] in _UTF16:
            encoding = "UTF-16"
        self._encoding = encoding
        codec = "utf-8-sig" if encoding == "UTF-8" else encoding
        # Bytes of another encoding become surrogates, so that the error can name their line.
        try:
            text = io.TextIOWrapper(start, codec, errors="surrogateescape", newline="")
        except (LookupError, ValueError):
            raise SourceUnreadable(name, f"there is no encoding {encoding!r}") from None
        self._text = text  # without this reference, it would close the file
        blank: list[str] = []
        first = ""
        separator = None
        lines = self._short_lines()
        for first in lines:
            found = _SEPARATOR.fullmatch(first)
            if first.strip() and not found:
                break
            separator = found or separator
            blank.append("\n")
        self.delimiter = separator[1] if separator else max(",;\t", key=first.count)
        self._reader = csv.reader(chain(blank, [first], lines), delimiter=self.delimiter)
        self.header = self._next_row()
        if not self.header:
            raise SourceUnreadable(name, "it is empty; a header line is required")
        self.columns = column_names(name, self.header)

    def release(self) -> None:
        """Leave the stream open: without this, it is closed together with this object."""
        self._text.detach().detach()

    def _next_row(self) -> list[str]:
        return next((row for row, _ in self.rows() if row), [])

    def rows(self) -> Iterator[tuple[list[str], int]]:
        """Yield the remaining rows, each with the line on which it ends; blank rows are skipped."""
        while found := self._next_rows(1):
            yield from found

    def _next_rows(self, maximum: int) -> list[tuple[list[str], int]]:
        """Return the next rows, at most *maximum*, each with the line on which it ends.

        There are fewer where some are blank; there are none at the end.
        """
        reader = self._reader
        found: list[tuple[list[str], int]] = []
        while not found:
            line = reader.line_num
            try:
                rows = list(islice(reader, maximum))
            except csv.Error as ex:
                raise SourceUnreadable(self._name, f"line {reader.line_num}: {ex}") from ex
            if not rows:
                break
            lines: Iterable[int] = range(line + 1, reader.line_num + 1)
            if reader.line_num - line != len(rows):
                lines = self._ends(rows, line)
            found = [
                (row, at)
                for row, at in zip(rows, lines, strict=True)
                if row and (row[0].strip() or "".join(row).strip())
            ]
        if not all(map(str.isascii, chain.from_iterable(row for row, _ in found))):
            for row, at in found:
                self._check_encoding("".join(row), at)
        return found

    def _ends(self, rows: Sequence[Sequence[str]], line: int) -> Iterator[int]:
        """Yield the line on which each row ends, if *line* is the last one before them."""
        for row in rows:
            line += 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in row)
            yield min(line, self._reader.line_num)  # the last line can lack its quote

    def _check_encoding(self, text: str, line: int) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as ex:
            byte = ord(ex.object[ex.start]) - 0xDC00
            raise SourceUnreadable(
                self._name,
                f"byte 0x{byte:02x} on line {line} is not {self._encoding}; {self._advice}",
            ) from None

    def _short_lines(self) -> Iterator[str]:
        """Yield the lines; a line that is too long is no row of stones."""
        number = 0
        try:
            while line := self._text.readline(_MAXIMUM_LINE):
                number += 1
                if len(line) == _MAXIMUM_LINE:
                    raise SourceUnreadable(
                        self._name, f"line {number:,} has more than {_MAXIMUM_LINE:,} characters"
                    )
                yield line
        except UnicodeError as ex:
            raise SourceUnreadable(
                self._name, f"the text after line {number:,} is not {self._encoding}"
            ) from ex

    def take(self, maximum: int) -> RawStones | None:
        """Return up to *maximum* of the remaining rows, or None; ragged rows are ``malformed``."""
        width = len(self.header)
        lines: list[int] = []
        cells: list[list[str]] = [[] for _ in self.header]
        others: list[tuple[int, list[str]]] = []
        while len(lines) + len(others) < maximum:
            some = self._next_rows(min(_AT_ONCE, maximum - len(lines) - len(others)))
            if not some:
                break
            lines += [line for row, line in some if len(row) == width]
            others += [(line, row) for row, line in some if len(row) != width]
            whole = zip(*(row for row, _ in some if len(row) == width), strict=True)
            for column, values in zip(cells, whole, strict=False):
                column.extend(values)
        if not lines and not others:
            return None
        columns = {name: cells[at] for at, name in enumerate(self.columns) if name in READ_COLUMNS}
        malformed = [
            RejectedRow(line, (ragged(row, self.header),), self._name) for line, row in others
        ]
        delivered = Delivered(lines, lambda: cells, others)
        return RawStones(self._name, columns, lines, malformed, self.header, delivered)


def column_names(name: str, header: Sequence[object]) -> list[str]:
    """Return the cells of a *header* as column names: stripped, in lower case.

    Raises:
        SourceUnreadable: there are too many, or one that describes stones is there twice.
    """
    if len(header) > MAXIMUM_COLUMNS:
        raise SourceUnreadable(
            name, f"it has {len(header):,} columns; the maximum is {MAXIMUM_COLUMNS}"
        )
    columns = [str(cell).strip().casefold() for cell in header]
    twice = [each for each in READ_COLUMNS if columns.count(each) > 1]
    if twice:
        raise SourceUnreadable(name, f"the header names {', '.join(twice)} more than once")
    return columns


def columns_of(
    rows: Sequence[Sequence[object]], columns: Sequence[str]
) -> dict[str, Sequence[object]]:
    """Return those *columns* of the *rows* that describe stones, each as one value per row."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return {name: values[at] for at, name in enumerate(columns) if name in READ_COLUMNS}


def without_rows(name: str, header: Sequence[str], columns: Sequence[str]) -> RawStones:
    """Return the batch of a source that has a header and no rows."""
    return RawStones(name, columns_of([], columns), [], (), header)


def ragged(row: Sequence[str], header: Sequence[str]) -> str:
    """Return the message that a row has too few or too many cells."""
    return f"has {len(row)} fields, but the header has {len(header)}"


def lacks(missing: Sequence[str], header: Sequence[str]) -> str:
    """Return the message that the header lacks columns."""
    shown = ", ".join(repr(each[:30]) for each in header[:12])
    return (
        f"the header lacks {', '.join(missing)}; it has {shown}"
        " (columns are separated by commas, semicolons or tabs)"
    )
