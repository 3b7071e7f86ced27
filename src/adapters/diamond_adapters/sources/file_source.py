"""The rows of a file or a URL: CSV, Excel or Parquet, as its bytes say."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Self
from urllib.parse import unquote, urldefrag, urlsplit, urlunsplit

from diamond_adapters.sources.csv_rows import lacks
from diamond_adapters.sources.csv_source import CsvSource
from diamond_adapters.sources.excel_source import ExcelSource
from diamond_adapters.sources.expected import STONES, Expected
from diamond_adapters.sources.opened import Open, opened
from diamond_adapters.sources.parquet_source import ParquetSource
from diamond_core import RawStones, SourceUnreadable, StoneSource

MAXIMUM_DOWNLOAD: Final = 1_000_000_000
MAXIMUM_TEXT: Final = 4_000_000_000
"""The maximum size of a download, and of its decompressed text, in bytes."""
DOWNLOAD_SECONDS: Final = 600.0
_NOT_TEXT: Final = re.compile(r"\.(xls[xmb]?|ods|parquet)(\.gz)?$", re.IGNORECASE)
_PARQUET: Final = b"PAR1"
_GZIP: Final = b"\x1f\x8b"
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx, .xlsb and .ods are zip files


class FileSource:
    """A ``StoneSource`` of a CSV, Excel or Parquet file, plain or gzipped.

    The first bytes tell what it is; its name does not matter, except in the message about a text
    with the name of a workbook and without the columns.

    Args:
        name: its name in messages and cards.
        open: opens the bytes; raises ``OSError`` if it can't.
        maximum: the maximum size of the decompressed bytes.
        encoding: the encoding of a CSV that is not UTF-8.
        sheet: the sheet of a workbook; default is the only one with the columns.
        expected: what the rows are.
        path: where the file is on this machine, if it is there.
    """

    def __init__(
        self,
        name: str,
        open: Open,
        *,
        path: Path | None = None,
        maximum: int = sys.maxsize,
        encoding: str | None = None,
        sheet: str | None = None,
        expected: Expected = STONES,
    ) -> None:
        self.name = name
        self._open = open
        self._maximum = maximum
        self._encoding = encoding
        self._sheet = sheet
        self._expected = expected
        self._path = path

    @classmethod
    def from_path(
        cls,
        path: Path,
        *,
        encoding: str | None = None,
        sheet: str | None = None,
        expected: Expected = STONES,
    ) -> Self:
        """Return the source for a file on this machine."""
        return cls._of_file(str(path), path, encoding, sheet, expected)

    @classmethod
    def _of_file(
        cls, name: str, path: Path, encoding: str | None, sheet: str | None, expected: Expected
    ) -> Self:
        return cls(
            name,
            lambda: path.open("rb"),
            path=path,
            encoding=encoding,
            sheet=sheet,
            expected=expected,
        )

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        encoding: str | None = None,
        expected: Expected = STONES,
        download: int = MAXIMUM_DOWNLOAD,
        text: int = MAXIMUM_TEXT,
        seconds: float = DOWNLOAD_SECONDS,
    ) -> Self:
        """Return the source for an ``http``, ``https`` or ``file`` URL.

        Args:
            url: its address; what follows ``#`` is the sheet of a workbook.
            encoding: the encoding of a CSV that is not UTF-8.
            expected: what the rows are.
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
        sheet = unquote(parts.fragment) or None
        if parts.scheme == "file":
            path = Path(unquote(parts.path))
            if parts.netloc not in ("", "localhost"):
                raise SourceUnreadable(name, "use file:///absolute/path")
            if not path.exists() or path.is_dir():
                raise SourceUnreadable(
                    name, "it is a folder" if path.is_dir() else "file not found"
                )
            return cls._of_file(name, path, encoding, sheet, expected)

        def open() -> BinaryIO:
            from diamond_adapters.sources import url_source  # only few sources need it

            address = urldefrag(url).url
            return url_source.download(address, maximum=download, seconds=seconds)

        return cls(name, open, maximum=text, encoding=encoding, sheet=sheet, expected=expected)

    def read(self) -> Iterator[RawStones]:
        with opened(self.name, self._open, self._maximum) as stream:
            start = stream.peek(4)[:4]
            source: StoneSource
            if start == _PARQUET:
                source = ParquetSource(self.name, lambda: stream)
            elif start in _WORKBOOKS:
                source = ExcelSource(
                    self.name, lambda: stream, sheet=self._sheet, expected=self._expected
                )
            else:
                source = CsvSource(self.name, lambda: stream, encoding=self._encoding)
                if _NOT_TEXT.search(self.name):
                    yield from self._checked(source)
                    return
            yield from source.read()

    def parts(self, count: int) -> Sequence[StoneSource]:
        """Return the parts of a file: Parquet and plain CSV can be divided."""
        from diamond_adapters.sources import file_parts  # only a cluster needs it

        if self._path is None:
            return []
        try:
            with self._path.open("rb") as file:
                start = file.read(4)
            whole = FileSource(
                self.name,
                file_parts.opening(self._path),
                encoding=self._encoding,
                sheet=self._sheet,
                expected=self._expected,
            )
        except OSError:  # whoever reads it says what is wrong
            return []
        parts: Sequence[StoneSource] = []
        if start == _PARQUET:
            parts = file_parts.parquet_parts(self.name, self._path, count)
        elif not start.startswith((_GZIP, *_WORKBOOKS)) and not (
            self._encoding or _NOT_TEXT.search(self.name)
        ):
            parts = file_parts.csv_parts(self.name, self._path, count)
        return parts or [whole]

    def _checked(self, source: CsvSource) -> Iterator[RawStones]:
        """Yield the rows of a text with the name of another kind of file, if it has a header."""
        rest = source.read()
        try:
            first = next(rest)
            if not self._expected.is_header(first.header):
                reason = lacks(self._expected.lacks(first.header), first.header)
                raise SourceUnreadable(self.name, reason)
        except SourceUnreadable as ex:
            reason = f"it is text, not what its name says, and as a CSV: {ex.detail}"
            raise SourceUnreadable(self.name, reason) from ex
        yield first
        del first  # so that only one batch is in memory
        yield from rest


def without_secrets(url: str) -> str:
    """Return *url* without possible secrets: its user, password and query values."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"***@{host}" if "@" in parts.netloc else host
    query = re.sub(r"=[^&]*", "=***", parts.query)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))
