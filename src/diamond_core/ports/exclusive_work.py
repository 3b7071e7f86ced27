"""Work that one process does at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class ExclusiveWork(Protocol):
    """Keeps others from doing the same work: all processes that share the store. Threads share it."""

    def hold(self, name: str, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
        """Do the work *name* alone while the context lasts; work of another name goes on.

        Where somebody else does it, call *waiting* once with a sentence that says who, and wait. A
        process that ends, however it ends, holds nothing any more.

        Raises:
            Unavailable: nobody can say who holds it.
        """
        ...
