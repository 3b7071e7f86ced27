"""The base of contracts whose adapters use a store that other processes can open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class SharedStore:
    """Fixtures that reopen the adapter's store, open it in another process, and break it."""

    @pytest.fixture
    def reopen(self) -> Callable[[], Any]:
        """Return a function that opens the same store again, as after a restart."""
        raise NotImplementedError("supply a function that opens the store again")

    @pytest.fixture
    def elsewhere(self) -> str | None:
        """Return Python code that opens the same store under the name of the adapter's fixture.

        None if other processes can't open the store, because it is in memory.
        """
        raise NotImplementedError("supply code that opens the store in another process")

    @pytest.fixture
    def break_down(self) -> Callable[[], None]:
        """Return a function that makes the store fail; skip the test if nothing can."""
        raise NotImplementedError("supply a function that makes the store fail")


@contextmanager
def another_process(elsewhere: str | None, code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run *elsewhere* and then *code* in another process; skip the test if *elsewhere* is None."""
    if elsewhere is None:
        pytest.skip("its store is in memory")
    with subprocess.Popen(  # noqa: S603  # the test's own code
        [sys.executable, "-c", f"{elsewhere}\n{code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        yield other
