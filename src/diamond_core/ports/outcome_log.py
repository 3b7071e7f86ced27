"""The outcomes of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from diamond_core.monitoring.outcome import Outcome


class OutcomeLog(Protocol):
    """All outcomes that were ever reported. Threads and processes can share it."""

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes durably, all or none.

        Raises:
            Conflict: an outcome with this id and number is stored already.
            Unavailable: none was stored.
        """
        ...

    def of(self, ids: Sequence[str]) -> Sequence[Outcome]:
        """Return all outcomes of the predictions with these ids, in the order of id and number.

        Raises:
            Unavailable: they can't be read.
        """
        ...

    def read(self, since: datetime | None = None) -> Iterator[Outcome]:
        """Yield all outcomes of predictions since this time, in the order of id and number.

        Raises:
            Unavailable: they can't be read.
        """
        ...

    def newest(self, limit: int) -> Sequence[Outcome]:
        """Return the outcomes that were reported last, newest first.

        Raises:
            Unavailable: they can't be read.
        """
        ...

    def close(self) -> None:
        """Close connections; no stored outcome is lost."""
        ...
