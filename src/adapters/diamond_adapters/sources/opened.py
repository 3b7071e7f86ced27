"""Open the bytes of a source: plain or gzipped, bounded, with one sentence for each error."""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast

from diamond_adapters.sources.bounded import Bounded
from diamond_core import SourceUnreadable

_GZIP: Final = b"\x1f\x8b"
Open = Callable[[], BinaryIO]
"""Opens the bytes of a source; raises ``OSError`` if it can't."""


@contextmanager
def opened(name: str, open: Open, maximum: int = sys.maxsize) -> Iterator[io.BufferedReader]:
    """Yield at most *maximum* bytes as a stream, decompressed if they are gzipped.

    Raises:
        SourceUnreadable: the source *name* can't be read, or has more bytes.
    """
    try:
        with open() as file:
            raw: Any = file  # any stream that can be read
            stream = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)
            if stream.peek(2)[:2] == _GZIP:
                stream = cast("io.BufferedReader", gzip.GzipFile(fileobj=stream))
            elif maximum == sys.maxsize:
                yield stream
                return
            yield io.BufferedReader(Bounded(stream, maximum, "the decompressed text"))
    except (EOFError, zlib.error, gzip.BadGzipFile) as ex:
        raise SourceUnreadable(name, f"the gzip data is damaged ({ex})") from ex
    except OSError as ex:
        raise SourceUnreadable(name, ex.strerror or str(ex)) from ex


@contextmanager
def rewindable(stream: io.BufferedReader) -> Iterator[BinaryIO]:
    """Yield the bytes of *stream* as a file that can be read from any place.

    A stream that can be read only once is copied to a temporary file.
    """
    if _is_file(stream):
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
        copy.seek(0)
        yield copy


def _is_file(stream: io.BufferedReader) -> bool:
    try:
        return stream.fileno() >= 0 and stream.seekable()
    except io.UnsupportedOperation:
        return False
