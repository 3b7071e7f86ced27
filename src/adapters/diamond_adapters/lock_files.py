"""Exclusive work among the processes that share a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from diamond_core import Unavailable


class LockFiles:
    """``ExclusiveWork`` by ``flock`` on a file for each kind of work.

    The lock ends with the process that holds it, however it ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        path = self._folder / f".{name}.lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except OSError as ex:
            raise Unavailable(f"{path} can't be locked: {ex.strerror}") from ex
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                waiting(f"waiting for {file.read().strip() or 'another process'}")
                fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            file.truncate()
            file.write(f"process {os.getpid()}, which began at {datetime.now(UTC):%H:%M:%S} UTC")
            file.flush()
            yield
