"""The log of every exchange with the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth


class Background(Protocol):
    """What does some of its work beside its callers."""

    def start(self) -> None:
        """Begin that work, in the process that needs it; once begun, nothing happens.

        Without it every method still does what it promises, but may take longer.
        """
        ...

    def close(self) -> None:
        """End that work and let go of files and connections; nothing that was kept is lost."""
        ...


class RequestLog(Background, Protocol):
    """A log of every exchange with the service. Threads and processes may share it."""

    def append(self, exchange: Exchange) -> None:
        """Keep the exchange for good: it survives a crash of this process.

        An exchange of an id that is kept already changes nothing.

        Raises:
            Unavailable: the exchange was not kept.
        """
        ...

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        """Keep all the exchanges for good; those that are kept already change nothing.

        Raises:
            Refused: one of them can't be kept at any time; the others can, without it.
            Unavailable: some were not kept; to append all of them again is safe.
        """
        ...

    def find(
        self,
        filter: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        """Return up to *limit* of the exchanges that match *filter*, newest first.

        *before* is the id of the last exchange of the previous page: exchanges that have come in
        since then move nothing. With *bodies* False the bodies are left empty, which is quick.

        Raises:
            Unavailable: the log can't be read.
        """
        ...

    def count(self, filter: ExchangeFilter) -> int:
        """Return how many exchanges match *filter*.

        Raises:
            Unavailable: the log can't be read.
        """
        ...

    def prune(self, before: datetime, *, limit: int) -> int:
        """Delete up to *limit* of the exchanges that occurred *before*, the oldest first.

        Return how many were deleted: 0 when none is left. Others go on writing meanwhile.

        Raises:
            Unavailable: none was deleted.
        """
        ...

    def health(self) -> RequestLogHealth:
        """Return how the log is doing, at most a second ago. Cheap, and never raises."""
        ...
