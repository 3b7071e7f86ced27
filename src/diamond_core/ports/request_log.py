"""The request log: the record of every exchange with the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth


class Background(Protocol):
    """A part of the application with background work."""

    def start(self) -> None:
        """Start the background work in this process; if it runs already, do nothing.

        Without it all other methods work too, but can take longer.
        """
        ...

    def close(self) -> None:
        """Stop the work and close files and connections; no stored data is lost."""
        ...


class RequestLog(Background, Protocol):
    """The record of every exchange with the service. Threads and processes can share it."""

    def append(self, exchange: Exchange) -> None:
        """Store the exchange durably: it survives a crash of this process.

        An exchange whose id is already stored has no effect.

        Raises:
            Unavailable: the exchange was not stored.
        """
        ...

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        """Store all exchanges durably; those that are already stored have no effect.

        Raises:
            Refused: one of them can never be stored; without it, the others can.
            Unavailable: some were not stored; appending all of them again is safe.
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
        """Return up to *limit* of the exchanges that match *filter*, newest first; fewer: all.

        *before* is the id of the last exchange of the previous page, so new exchanges do not move
        the pages. With *bodies* False the bodies are empty, which is faster.

        Raises:
            Unavailable: the log can't be read.
        """
        ...

    def count(self, filter: ExchangeFilter) -> int:
        """Return the number of exchanges that match *filter*.

        Raises:
            Unavailable: the log can't be read.
        """
        ...

    def prune(self, before: datetime, *, limit: int) -> int:
        """Delete up to *limit* of the exchanges that occurred *before*, oldest first.

        Return the number of deleted exchanges: 0 if none is left. Others can write meanwhile.

        Raises:
            Unavailable: none was deleted.
        """
        ...

    def health(self) -> RequestLogHealth:
        """Return the log's health, at most one second old. Fast, and never raises."""
        ...
