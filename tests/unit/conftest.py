"""A unit test writes no file, starts no process and leaves no thread behind: one that does fails."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import ModelHistory
from diamond_core.testing import load_formula

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED = (
    *("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
    *("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system"),
    *("subprocess.Popen", "socket.connect", "socket.bind", "sqlite3.connect"),
)
"""What Python's audit hooks call it (PEP 578)."""
_OF_TOOLS = ("__pycache__", ".hypothesis")
"""Folders that Python and Hypothesis write to whatever the test does."""

_found: list[str] | None = None
"""What the present test did; None between tests."""


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _found is None:
        return
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, int) or not (isinstance(flags, int) and flags & _WRITES):
            return
    elif event not in _REFUSED:
        return
    told = f"{event} {arguments[:1]}"
    if not any(folder in told for folder in _OF_TOOLS):
        _found.append(told)
        raise AssertionError(f"a unit test may not do this: {told}")


sys.addaudithook(_watch)


@contextmanager
def _watched() -> Iterator[None]:
    global _found  # noqa: PLW0603  # an audit hook stays for good, and takes no argument
    before, _found = set(threading.enumerate()), []
    try:
        yield
        left = [f"the thread {each.name}" for each in {*threading.enumerate()} - before]
        if _found or left:
            pytest.fail(f"a unit test may not do this: {[*_found, *left]}")
    finally:
        _found = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _watched():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _watched():
        return (yield)


@pytest.fixture
def repository() -> InMemoryModelRepository:
    """A repository without models."""
    return InMemoryModelRepository()


@pytest.fixture
def history(repository: InMemoryModelRepository) -> ModelHistory:
    """The history in ``repository``."""
    return ModelHistory(repository, load_formula)
