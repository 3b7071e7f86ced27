"""Sources of training stones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

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


@runtime_checkable
class DivisibleSource(StoneSource, Protocol):
    """A source that other hosts can read, each a part of it."""

    def parts(self, count: int) -> Sequence[StoneSource]:
        """Return up to about *count* sources that can be pickled, or more if they would be large.

        One after the other they yield the batches of this source, with the same lines. None are
        returned if only this process can read it.
        """
        ...
