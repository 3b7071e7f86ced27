"""Write a file that appears under its name when it is complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from diamond_core import Unavailable


@contextmanager
def whole_file(path: Path | None) -> Iterator[BinaryIO]:
    """Open a file that replaces *path* at the end of the block, or stdout if there is no path.

    Raises:
        Unavailable: the file can't be written; this is known at the start, except for a full disk.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
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
