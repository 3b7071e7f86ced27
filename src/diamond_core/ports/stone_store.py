"""The store of stones and of their deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from diamond_core.stones.delivery import DeliveredRows, Delivery
from diamond_core.stones.stone_records import StoneRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class StoneVersion:
    """A version of the stones: what one delivery made of them.

    Attributes:
        number: counted up from 1, with gaps.
        delivery: the id of the delivery.
        stones: the number of stones.
    """

    number: int
    at: datetime
    delivery: str
    stones: int


class StoneStore(Protocol):
    """Stores deliveries row by row, and the stones that they made, version by version.

    It does not decide anything: ``AddStones`` does. Threads, processes and hosts can share it, and
    write at the same time. Nothing is ever removed. Every method raises ``Unavailable`` if the store
    can't be reached.
    """

    def receive(
        self, rows: Iterable[DeliveredRows], conclude: Callable[[], Delivery | None]
    ) -> Delivery | None:
        """Store all *rows* and then the delivery that *conclude* returns: both or nothing.

        *conclude* is called after the last row. If it returns None, nothing is stored. An error
        of *rows* is raised as it is, and nothing is stored. Return what *conclude* returned.

        Raises:
            Conflict: someone else stores a delivery with this id at the same moment.
        """
        ...

    def update(self, delivery: Delivery) -> None:
        """Replace what is known about a stored delivery; its rows stay.

        Raises:
            DeliveryNotFound: it is not stored.
        """
        ...

    def deliveries(self) -> Sequence[Delivery]:
        """Return all deliveries, newest first."""
        ...

    def delivered(self, id: str) -> Iterator[DeliveredRows]:
        """Yield the rows of a delivery, in any order, at most ``BATCH_ROWS`` at a time.

        Raises:
            DeliveryNotFound: it is not stored.
        """
        ...

    def put(
        self,
        delivery: Delivery,
        stones: Iterable[StoneRecords],
        *,
        after: StoneVersion | None,
        total: int,
        corrects: bool,
    ) -> None:
        """Add the stones of *delivery* as one new version; do nothing if they are in already.

        All dates are known, and no id occurs twice. *total* is the number of stones afterwards.
        With *corrects*, a stone replaces the stored one of the same id.

        Raises:
            Conflict: *after*, None for no stones, is not the present version; nothing was changed.
        """
        ...

    def version(self) -> StoneVersion | None:
        """Return the present version, or None if no delivery is in."""
        ...

    def versions(self) -> Sequence[StoneVersion]:
        """Return all versions, newest first."""
        ...

    def stones(self, version: int | None = None) -> Iterator[StoneRecords]:
        """Yield the stones of a version, by default of the present one, in any order.

        Raises:
            StoneVersionNotFound: there is no such version.
        """
        ...
