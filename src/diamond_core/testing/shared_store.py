"""What the contracts share whose adapters keep something in a store that others may open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class SharedStore:
    """Fixtures that open the adapter's store once more, in another process, and break it."""

    @pytest.fixture
    def reopen(self) -> Callable[[], Any]:
        """Return what opens the same store once more, as after a restart."""
        raise NotImplementedError("supply what opens it again")

    @pytest.fixture
    def elsewhere(self) -> str | None:
        """Return Python code that opens the same store, named as the adapter's fixture.

        None where nothing can: the store ends with the process.
        """
        raise NotImplementedError("supply code that opens it in another process")

    @pytest.fixture
    def break_down(self) -> Callable[[], None]:
        """Return what makes the store fail; skip where nothing can."""
        raise NotImplementedError("supply what makes it fail")


@contextmanager
def another_process(elsewhere: str | None, code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run *elsewhere* and then *code* in another process; skip the test where nothing can."""
    if elsewhere is None:
        pytest.skip("its store ends with the process")
    with subprocess.Popen(  # noqa: S603  # code of the test's own
        [sys.executable, "-c", f"{elsewhere}\n{code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        yield other
