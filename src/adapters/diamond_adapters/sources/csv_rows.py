"""The rows of CSV text, read from a stream."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import BinaryIO, Final

from diamond_adapters.sources.csv_block import CsvBlock, CsvCells
from diamond_adapters.sources.delivered import Delivered
from diamond_core import RawStones, RejectedRow, SourceUnreadable
from diamond_core.stones.cleaning import READ_COLUMNS

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
MAXIMUM_COLUMNS: Final = 200
_MAXIMUM_LINE: Final = 1_000_000
_BLOCK: Final = 1 << 18
"""How many characters of a CSV are read at once; fewer than the longest line has."""
_SEPARATOR: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""Excel's own first line: it names the separator of the cells."""


class CsvRows:
    """The rows of a CSV, read from a stream a few at a time.

    Args:
        name: its name in messages.
        file: the bytes.
        encoding: the encoding of text without a byte order mark.
        advice: what a message says to do with text of another encoding.
        lines_left_out: how many lines between the header and the next row are not in *file*.

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
        lines_left_out: int = 0,
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
        self._lines = 0
        first = ""
        separator = None
        lines = self._short_lines()
        for first in lines:
            found = _SEPARATOR.fullmatch(first)
            if first.strip() and not found:
                break
            separator = found or separator
        self.delimiter = separator[1] if separator else max(",;\t", key=first.count)
        self.header = self._read_header(chain([first], lines))
        self.columns = column_names(name, self.header)
        self._lines += lines_left_out
        self._left = CsvCells([], [[] for _ in self.header], [])

    @property
    def lines_read(self) -> int:
        """How many lines were read; at first, those up to the header."""
        return self._lines

    def release(self) -> None:
        """Leave the stream open: without this, it is closed together with this object."""
        self._text.detach().detach()

    def _read_header(self, lines: Iterable[str]) -> list[str]:
        try:
            for row in csv.reader(lines, delimiter=self.delimiter):
                text = "".join(row)
                if text.strip():
                    self._check_encoding(text, self._lines)
                    return row
        except csv.Error as ex:
            raise SourceUnreadable(self._name, f"line {self._lines}: {ex}") from ex
        raise SourceUnreadable(self._name, "it is empty; a header line is required")

    def blocks(self) -> Iterator[CsvBlock]:
        """Yield the remaining rows as blocks of text.

        Raises:
            SourceUnreadable: it has another encoding, or a line or a cell that is too long.
        """
        while text := self._some_lines():
            line = self._lines
            self._lines += _lines_in(text)
            if '"' in text and not _is_whole(text, self.delimiter):
                text += self._rest_of_row(text, line)
            if not text.isascii():
                self._check_block(text, line)
            yield CsvBlock(self._name, self.delimiter, line, text)

    def _some_lines(self) -> str:
        """Return the next lines, or ''."""
        if self._encoding != "UTF-8":  # so that an error names its line
            lines: list[str] = []
            size = 0
            before = self._lines
            for line in self._short_lines():
                lines.append(line)
                size += len(line)
                if size >= _BLOCK:
                    break
            self._lines = before
            return "".join(lines)
        text = self._text.read(_BLOCK)
        rest = self._text.readline(_MAXIMUM_LINE)
        last = max(text.rfind("\n"), text.rfind("\r")) + 1
        if len(text) - last + len(rest) >= _MAXIMUM_LINE:
            raise self._too_long(self._lines + _lines_in(text) + (last == len(text)))
        return text + rest

    def _rest_of_row(self, text: str, line: int) -> str:
        """Return what follows of the last row of *text*: a cell in quotes can have several lines."""
        more: list[str] = []

        def lines() -> Iterator[str]:
            yield from io.StringIO(text, newline="")
            for each in self._short_lines():
                more.append(each)
                yield each

        reader = csv.reader(lines(), delimiter=self.delimiter)
        count = _lines_in(text)
        try:
            while reader.line_num < count:
                next(reader, None)
        except csv.Error as ex:
            raise SourceUnreadable(self._name, f"line {line + reader.line_num}: {ex}") from ex
        return "".join(more)

    def _check_block(self, text: str, line: int) -> None:
        try:
            text.encode()
        except UnicodeEncodeError:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
            with suppress(csv.Error):  # ``CsvBlock.rows`` raises it
                for row in reader:
                    self._check_encoding("".join(row), line + reader.line_num)

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
        try:
            while line := self._text.readline(_MAXIMUM_LINE):
                self._lines += 1
                if len(line) == _MAXIMUM_LINE:
                    raise self._too_long(self._lines)
                yield line
        except UnicodeError as ex:
            raise SourceUnreadable(
                self._name, f"the text after line {self._lines:,} is not {self._encoding}"
            ) from ex

    def _too_long(self, line: int) -> SourceUnreadable:
        return SourceUnreadable(
            self._name, f"line {line:,} has more than {_MAXIMUM_LINE:,} characters"
        )

    def take(self, maximum: int) -> RawStones | None:
        """Return up to *maximum* of the remaining rows, or None; ragged rows are ``malformed``."""
        cells, blocks = self._left, self.blocks()
        while len(cells) < maximum and (block := next(blocks, None)):
            cells.extend(block.cells(len(self.header)))
        self._left = cells.cut(maximum)
        if not cells:
            return None
        malformed = [
            RejectedRow(line, (ragged(row, self.header),), self._name) for line, row in cells.ragged
        ]
        delivered = Delivered(cells.lines, lambda: cells.columns, cells.ragged)
        columns = described(self.columns, cells.columns)
        return RawStones(self._name, columns, cells.lines, malformed, self.header, delivered)


def _lines_in(text: str) -> int:
    """Return how many lines end in *text*; its last one can be without an end."""
    count = text.count("\n")
    if "\r" in text:
        count += text.count("\r") - text.count("\r\n")
    return count + (not text.endswith(("\n", "\r")))


def _is_whole(text: str, delimiter: str) -> bool:
    """Return whether lines surely end with a row: each quote is around a cell or doubled in it."""
    parts = text.split('"')
    before = {part[-1:] for part in parts[:-1:2]}
    return len(parts) % 2 == 1 and before <= {"", delimiter, "\n", "\r"}


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
    return described(columns, values)


def described(
    columns: Sequence[str], values: Sequence[Sequence[object]]
) -> dict[str, Sequence[object]]:
    """Return the *values* of those *columns* that describe stones."""
    return {name: values[at] for at, name in enumerate(columns) if name in READ_COLUMNS}


def without_rows(name: str, header: Sequence[str], columns: Sequence[str]) -> RawStones:
    """Return the batch of a source that has a header and no rows."""
    return RawStones(name, columns_of([], columns), [], (), header)


def ragged(row: Sequence[object], header: Sequence[str]) -> str:
    """Return the message that a row has too few or too many cells."""
    return f"has {len(row)} fields, but the header has {len(header)}"


def lacks(missing: Sequence[str], header: Sequence[str]) -> str:
    """Return the message that the header lacks columns."""
    shown = ", ".join(repr(each[:30]) for each in header[:12])
    return (
        f"the header lacks {', '.join(missing)}; it has {shown}"
        " (columns are separated by commas, semicolons or tabs)"
    )
