"""The prices of shadows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from diamond_core.monitoring.shadow import ShadowPrice


class ShadowLog(Protocol):
    """The prices that shadows gave, one for each prediction and shadow.

    Threads and processes can share it.
    """

    def add(self, prices: Sequence[ShadowPrice]) -> None:
        """Store prices; those of a prediction and shadow that are already stored have no effect.

        Raises:
            Unavailable: some were not stored; adding all again is safe.
        """
        ...

    def of(self, ids: Sequence[str]) -> Sequence[ShadowPrice]:
        """Return the prices of the predictions with these ids, in the order of id and shadow.

        Raises:
            Unavailable: they can't be read.
        """
        ...

    def read(self) -> Iterator[ShadowPrice]:
        """Yield all prices, in the order of id and shadow.

        Raises:
            Unavailable: they can't be read.
        """
        ...

    def prune(self, before: datetime) -> int:
        """Delete the prices of stones that were priced *before*; return their number.

        Raises:
            Unavailable: some are left.
        """
        ...

    def close(self) -> None:
        """Close connections; no stored price is lost."""
        ...
