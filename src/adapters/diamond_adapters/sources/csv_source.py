"""Stones from CSV text: a file or a URL, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import re
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from diamond_core.cleaning import KNOWN_COLUMNS, RawStones, RejectedRow, missing_columns
from diamond_core.errors import SourceUnreadable

_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_TIMEOUT: Final = 60.0


class CsvSource:
    """A ``DiamondSource`` of comma-, semicolon- or tab-separated text with a header line.

    Columns are found by their names, in any order and case; others are ignored. The text is
    UTF-8, with or without a byte order mark, and may be gzipped.

    Args:
        name: what to call it in messages and cards.
        load: returns the bytes; raises ``OSError`` where it can't.
    """

    def __init__(self, name: str, load: Callable[[], bytes]) -> None:
        self.name = name
        self._load = load

    @classmethod
    def from_path(cls, path: Path) -> CsvSource:
        """Return the source of a file on this machine."""
        return cls(str(path), path.read_bytes)

    @classmethod
    def from_url(cls, url: str) -> CsvSource:
        """Return the source behind an ``http``, ``https`` or ``file`` URL."""

        def load() -> bytes:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
                body: bytes = response.read()
                return body

        return cls(without_secrets(url), load)

    def read(self) -> RawStones:
        return parse_csv(self.name, self._text())

    def _text(self) -> str:
        try:
            data = self._load()
            if data.startswith(_GZIP):
                data = gzip.decompress(data)
        except urllib.error.HTTPError as ex:
            raise SourceUnreadable(self.name, f"the server answered {ex.code}") from ex
        except urllib.error.URLError as ex:
            raise SourceUnreadable(self.name, str(ex.reason)) from ex
        except (EOFError, zlib.error, gzip.BadGzipFile) as ex:
            raise SourceUnreadable(self.name, f"the gzip data is broken ({ex})") from ex
        except OSError as ex:
            raise SourceUnreadable(self.name, ex.strerror or str(ex)) from ex
        return decode(self.name, data)


def decode(name: str, data: bytes) -> str:
    """Return UTF-8 *data* as text.

    Raises:
        SourceUnreadable: it is in another encoding; the message says on which line.
    """
    if data.startswith(_UTF16):
        raise SourceUnreadable(name, "the text is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as ex:
        line = data[: ex.start].count(b"\n") + 1
        raise SourceUnreadable(
            name, f"byte 0x{data[ex.start]:02x} on line {line} is not UTF-8; save it as UTF-8"
        ) from ex


def parse_csv(name: str, text: str, *, priced: bool = True) -> RawStones:
    """Return the rows of CSV *text*; blank lines are passed over, ragged ones set aside.

    Raises:
        SourceUnreadable: there is no header, or it lacks a column that is needed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    lines: list[int] = []
    rows: list[list[str]] = []
    malformed: list[RejectedRow] = []
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), None)
        if header is None:
            raise SourceUnreadable(name, "it is empty; a header line is needed")
        columns = [cell.strip().casefold() for cell in header]
        check_header(name, columns, priced)
        for row in reader:
            if len(row) == len(header):
                lines.append(reader.line_num)
                rows.append(row)
            elif any(cell.strip() for cell in row):
                reason = f"has {len(row)} fields where the header has {len(header)}"
                malformed.append(RejectedRow(reader.line_num, (reason,), name))
    except csv.Error as ex:
        raise SourceUnreadable(name, f"line {reader.line_num}: {ex}") from ex
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    found = {each: values[at] for at, each in enumerate(columns) if each in KNOWN_COLUMNS}
    return RawStones(name, found, lines, malformed)


def delimiter_of(text: str) -> str:
    """Return which of comma, semicolon and tab the first line with any text uses most."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def check_header(name: str, columns: list[str], priced: bool) -> None:
    """Raise ``SourceUnreadable`` where a column is missing or stands twice."""
    twice = sorted({each for each in columns if each in KNOWN_COLUMNS and columns.count(each) > 1})
    if twice:
        raise SourceUnreadable(name, f"the header names {', '.join(twice)} more than once")
    missing = missing_columns(columns, priced=priced)
    if missing:
        shown = ", ".join(repr(each[:30]) for each in columns[:12])
        raise SourceUnreadable(
            name,
            f"the header lacks {', '.join(missing)}; it has {shown}"
            " (columns are separated by commas, semicolons or tabs)",
        )


def without_secrets(url: str) -> str:
    """Return *url* without what may be secret: its user, password and query values."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"***@{host}" if "@" in parts.netloc else host
    query = re.sub(r"=[^&]*", "=***", parts.query)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))
