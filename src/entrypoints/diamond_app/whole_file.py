"""Write a file that appears under its name when it is complete."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from diamond_app.printable import printable
from diamond_core import Unavailable


@contextmanager
def whole_file(path: Path | None) -> Iterator[BinaryIO]:
    """Open a file that replaces *path* at the end of the block, or stdout if there is no path.

    On a terminal, characters that do not print are escaped.

    Raises:
        Unavailable: the file can't be written; this is known at the start, except for a full disk.
    """
    if path is None:
        stdout = sys.stdout.buffer
        yield cast("BinaryIO", _Terminal(stdout)) if sys.stdout.isatty() else stdout
        stdout.flush()
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as ex:
        raise Unavailable(f"{path} can't be written: {ex.strerror or ex}") from ex
    finally:
        draft.unlink(missing_ok=True)


class _Terminal(io.RawIOBase):
    """Writes text to a terminal, and escapes what does not print."""

    def __init__(self, stdout: BinaryIO) -> None:
        self._stdout = stdout

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        text = bytes(data).decode(errors="backslashreplace")
        self._stdout.write(printable(text, keep="\n\t").encode())
        return len(data)
