"""Where training stones come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from diamond_core.stones.cleaning import RawStones

BATCH_ROWS: Final = 50_000
"""How many rows a batch may have."""


class StoneSource(Protocol):
    """Where training stones come from."""

    @property
    def name(self) -> str:
        """What to call the source in messages and cards; holds no password."""
        ...

    def read(self) -> Iterator[RawStones]:
        """Yield all rows that there are now, at most ``BATCH_ROWS`` at a time, in their order.

        Raises:
            SourceUnreadable: it can't be reached or is no table of stones.
        """
        ...
