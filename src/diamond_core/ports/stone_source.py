"""Sources of training stones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from diamond_core.stones.cleaning import RawStones

BATCH_ROWS: Final = 50_000
"""The maximum number of rows in a batch."""


class StoneSource(Protocol):
    """A source of training stones."""

    @property
    def name(self) -> str:
        """The source's name in messages and cards; it contains no password."""
        ...

    def read(self) -> Iterator[RawStones]:
        """Yield all current rows, in order, at most ``BATCH_ROWS`` at a time.

        A source without rows yields one batch without rows, so that its columns are known; whether
        they are enough is decided elsewhere.

        Raises:
            SourceUnreadable: it can't be reached, or is not a table.
        """
        ...
