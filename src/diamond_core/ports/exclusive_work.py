"""Work that only one process at a time does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class ExclusiveWork(Protocol):
    """Locks for work among all processes that share the store. Threads can share it."""

    def hold(self, name: str, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
        """Hold the lock *name* while the context lasts; other names are independent.

        If someone else holds it, call *waiting* once with a sentence that says who, and wait. A
        process that ends, even if it is killed, releases its locks.

        Raises:
            Unavailable: the store of the locks failed.
        """
        ...
