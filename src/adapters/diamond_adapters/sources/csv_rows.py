"""Stones from CSV text: a file or a URL, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, Self, TextIO
from urllib.parse import unquote, urlsplit, urlunsplit

from diamond_adapters.sources.bounded import Bounded
from diamond_core import BATCH_ROWS, RawStones, RejectedRow, SourceUnreadable
from diamond_core.stones.cleaning import READ_COLUMNS, missing_columns

_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
MAXIMUM_DOWNLOAD: Final = 1_000_000_000
MAXIMUM_TEXT: Final = 4_000_000_000
"""The maximum size of a download, and of its decompressed text, in bytes."""
DOWNLOAD_SECONDS: Final = 600.0
MAXIMUM_COLUMNS: Final = 200
_MAXIMUM_LINE: Final = 1_000_000


class CsvSource:
    """A ``StoneSource`` of comma-, semicolon- or tab-separated text with a header line.

    Columns are found by their names, in any order and case; others are ignored. The text is
    UTF-8, with or without a byte order mark, and can be gzipped. It is read as a stream.

    Args:
        name: its name in messages and cards.
        open: opens the bytes; raises ``OSError`` if it can't.
        maximum: the maximum size of the decompressed text, in bytes.
    """

    def __init__(
        self, name: str, open: Callable[[], BinaryIO], *, maximum: int = sys.maxsize
    ) -> None:
        self.name = name
        self._open = open
        self._maximum = maximum

    @classmethod
    def from_path(cls, path: Path) -> Self:
        """Return the source for a file on this machine."""
        return cls(str(path), lambda: path.open("rb"))

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        download: int = MAXIMUM_DOWNLOAD,
        text: int = MAXIMUM_TEXT,
        seconds: float = DOWNLOAD_SECONDS,
    ) -> Self:
        """Return the source for an ``http``, ``https`` or ``file`` URL.

        Args:
            url: its address.
            download: the maximum size of a download, in bytes.
            text: the maximum size of a download's decompressed text, in bytes.
            seconds: how long a download may take.

        Raises:
            SourceUnreadable: the URL is not valid, or there is no such file.
        """
        try:
            name, parts = without_secrets(url), urlsplit(url)
        except ValueError:  # its text can contain a password
            raise SourceUnreadable("the source", "its URL is not valid") from None
        if parts.scheme == "file":
            path = Path(unquote(parts.path))
            if parts.netloc not in ("", "localhost"):
                raise SourceUnreadable(name, "use file:///absolute/path")
            if not path.exists() or path.is_dir():
                raise SourceUnreadable(
                    name, "it is a folder" if path.is_dir() else "file not found"
                )
            return cls(name, lambda: path.open("rb"))

        def open() -> BinaryIO:
            from diamond_adapters.sources import url_source  # only few sources need it

            return url_source.download(url, maximum=download, seconds=seconds)

        return cls(name, open, maximum=text)

    def read(self) -> Iterator[RawStones]:
        with self._errors(), self._open() as file:
            rows = CsvRows(self.name, _plain(file, self._maximum))
            missing = missing_columns(rows.columns)
            if missing:
                raise SourceUnreadable(self.name, lacks(missing, rows.header))
            while batch := rows.take(BATCH_ROWS):
                yield batch

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as ex:
            raise SourceUnreadable(self.name, f"the gzip data is damaged ({ex})") from ex
        except OSError as ex:
            raise SourceUnreadable(self.name, ex.strerror or str(ex)) from ex


def _plain(file: BinaryIO, maximum: int) -> BinaryIO:
    """Return at most *maximum* bytes as a stream, decompressed if they are gzipped."""
    buffered = io.BufferedReader(file)  # type: ignore[type-var]  # any stream that can be read
    is_gzip = buffered.peek(2)[:2] == _GZIP
    plain = gzip.GzipFile(fileobj=buffered) if is_gzip else buffered
    return Bounded(plain, maximum, "the decompressed text")  # type: ignore[return-value]  # reads as a stream


class CsvRows:
    """The rows of a CSV, read from a stream a few at a time.

    Attributes:
        header: the cells of the header line.
        columns: the same cells as column names: stripped, in lower case.
        delimiter: the separator of the cells.

    Raises:
        SourceUnreadable: it is not UTF-8, is empty, names a column twice, or has too many columns.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        self._name = name
        start = io.BufferedReader(file)  # type: ignore[type-var]  # any stream that can be read
        if start.peek(2)[:2] in _UTF16:
            raise SourceUnreadable(name, "the text is UTF-16; save it as UTF-8")
        # Bytes that are not UTF-8 become surrogates, so that the error can name their line.
        text = io.TextIOWrapper(start, "utf-8-sig", errors="surrogateescape", newline="")
        blank: list[str] = []
        first = ""
        lines = _short_lines(name, text)
        for first in lines:
            if first.strip():
                break
            blank.append(first)
        self._text = text  # without this reference, it would close the file
        self.delimiter = max(",;\t", key=first.count)
        self._reader = csv.reader(chain(blank, [first], lines), delimiter=self.delimiter)
        self.header = self._next_row()
        if not self.header:
            raise SourceUnreadable(name, "it is empty; a header line is required")
        if len(self.header) > MAXIMUM_COLUMNS:
            raise SourceUnreadable(
                name,
                f"it has {len(self.header):,} columns; the maximum is {MAXIMUM_COLUMNS}",
            )
        self.columns = [cell.strip().casefold() for cell in self.header]
        twice = [each for each in READ_COLUMNS if self.columns.count(each) > 1]
        if twice:
            raise SourceUnreadable(name, f"the header names {', '.join(twice)} more than once")

    def release(self) -> None:
        """Leave the stream open: without this, it is closed together with this object."""
        self._text.detach().detach()

    def _next_row(self) -> list[str]:
        return next((row for row, _ in self.rows() if row), [])

    def rows(self) -> Iterator[tuple[list[str], int]]:
        """Yield the remaining rows, each with the line on which it ends; blank rows are skipped."""
        reader = self._reader
        try:
            for row in reader:
                if any(row) and any(cell.strip() for cell in row):
                    if not all(map(str.isascii, row)):
                        self._check_encoding(row)
                    yield row, reader.line_num
        except csv.Error as ex:
            raise SourceUnreadable(self._name, f"line {reader.line_num}: {ex}") from ex

    def _check_encoding(self, row: Sequence[str]) -> None:
        try:
            "".join(row).encode()
        except UnicodeEncodeError as ex:
            byte = ord(ex.object[ex.start]) - 0xDC00
            raise SourceUnreadable(
                self._name,
                f"byte 0x{byte:02x} on line {self._reader.line_num} is not UTF-8; save it as UTF-8",
            ) from None

    def take(self, maximum: int) -> RawStones | None:
        """Return up to *maximum* of the remaining rows, or None; ragged rows are ``malformed``."""
        lines: list[int] = []
        rows: list[list[str]] = []
        malformed: list[RejectedRow] = []
        delivered: list[tuple[int, Sequence[object]]] = []
        for row, line in self.rows():
            delivered.append((line, row))
            if len(row) == len(self.header):
                lines.append(line)
                rows.append(row)
            else:
                malformed.append(RejectedRow(line, (ragged(row, self.header),), self._name))
            if len(delivered) == maximum:
                break
        if not delivered:
            return None
        columns = columns_of(rows, self.columns)
        return RawStones(self._name, columns, lines, malformed, self.header, delivered)


def _short_lines(name: str, text: TextIO) -> Iterator[str]:
    """Yield the lines of *text*; a line that is too long is no row of stones."""
    number = 0
    while line := text.readline(_MAXIMUM_LINE):
        number += 1
        if len(line) == _MAXIMUM_LINE:
            raise SourceUnreadable(
                name, f"line {number:,} has more than {_MAXIMUM_LINE:,} characters"
            )
        yield line


def columns_of(
    rows: Sequence[Sequence[str]], columns: Sequence[str]
) -> dict[str, Sequence[object]]:
    """Return those *columns* of the *rows* that describe stones, each as one value per row."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return {name: values[at] for at, name in enumerate(columns) if name in READ_COLUMNS}


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


def without_secrets(url: str) -> str:
    """Return *url* without possible secrets: its user, password and query values."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"***@{host}" if "@" in parts.netloc else host
    query = re.sub(r"=[^&]*", "=***", parts.query)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))
