"""Exclusive work among the processes that share a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from diamond_adapters.flock import locked
from diamond_adapters.private_files import create_folder
from diamond_core import Unavailable


class LockFiles:
    """``ExclusiveWork`` by ``flock`` on one file for each kind of work.

    A lock ends with the process that holds it, even if that process is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        path = self._folder / f".{name}.lock"
        with ExitStack() as stack:
            try:
                create_folder(self._folder)
                if stack.enter_context(locked(path, seconds=0.0)) is None:
                    holder = path.read_text(encoding="utf-8").strip()
                    waiting(f"waiting for {holder or 'another process'}")
                    stack.enter_context(locked(path))
                holder = f"process {os.getpid()}, at work since {datetime.now(UTC):%H:%M:%S} UTC"
                path.write_text(holder, encoding="utf-8")
            except OSError as ex:
                raise Unavailable(f"{path} can't be locked: {ex.strerror}") from ex
            yield
