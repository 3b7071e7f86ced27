"""Locks on files between processes (``flock``): a lock ends with its process, even a killed one."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_POLL_SECONDS: Final = 0.002

_files: set[int] = set()
_guard = threading.Lock()


@contextmanager
def locked(
    path: Path, *, seconds: float | None = None, create: bool = True
) -> Iterator[int | None]:
    """Hold the lock of the file at *path* and yield its descriptor.

    Yield None if another process holds it for longer than *seconds* (0: do not wait; None: wait
    without limit). A child that is forked meanwhile does not hold the lock.

    Raises:
        OSError: the file can't be opened.
    """
    with _opened(path, create=create) as file:
        yield file if _lock(file, seconds) else None


@contextmanager
def joined(path: Path, if_first: Callable[[], None]) -> Iterator[None]:
    """Share the lock of the file at *path* with others; call *if_first* if nobody else holds it.

    Others join after *if_first* has returned.

    Raises:
        OSError: the file can't be opened.
    """
    with _opened(path, create=True) as file:
        if _lock(file, 0.0):
            if_first()
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def _opened(path: Path, *, create: bool) -> Iterator[int]:
    with _guard:
        file = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        _files.add(file)
    try:
        yield file
    finally:
        with _guard:
            if file in _files:  # this is not a child
                _files.remove(file)
                os.close(file)


def _lock(file: int, seconds: float | None) -> bool:
    if seconds is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return True
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        time.sleep(_POLL_SECONDS)


def _reset_after_fork() -> None:
    """Close the parent's files in a child: a lock ends when its last descriptor is closed."""
    for file in _files:
        os.close(file)
    _files.clear()
    _guard.release()


os.register_at_fork(
    before=_guard.acquire, after_in_child=_reset_after_fork, after_in_parent=_guard.release
)
