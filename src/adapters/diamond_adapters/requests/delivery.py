"""The delivery of rows to the destination, and the handling of those that it refuses."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.destination import Destination
from diamond_adapters.requests.rows import Row
from diamond_adapters.requests.session import ServerFailed
from diamond_adapters.requests.spool_files import NumberedRow
from diamond_core import Refused, Unavailable

_FAILURES_TO_GIVE_UP: Final = 3
"""If this many exchanges fail one by one and none is accepted, the database accepts none."""

_log = logging.getLogger(__name__)


class Delivery:
    """Delivers rows with the mark of their file. The process must hold the shipper's lock.

    A row becomes a dead letter only if the error is about a value, or if it fails alone while
    another new row is accepted. So an error of the whole database loses no exchange.
    """

    def __init__(self, destination: Destination, dead: DeadLetters) -> None:
        self._destination = destination
        self._dead = dead
        self._accepted = 0
        self._failed: dict[str, int] = {}

    def deliver_file(self, path: Path, last: int) -> int | None:
        """Deliver all rows of a file after row *last* in one step; return the last row's number.

        Return None if the destination can't do that: then ``deliver`` finds out why.
        """
        try:
            end = self._destination.deliver_file(path, path.stem, last)
        except Unavailable:
            return None
        if end is not None:
            self._accepted += end - last
        return end

    def deliver(self, file: str, rows: Sequence[NumberedRow]) -> None:
        """Deliver the rows, and the mark of the last one.

        Raises:
            Unavailable: the destination does not accept them now; a retry is safe.
        """
        plain = [row for _, row in rows]
        last = rows[-1][0]
        try:
            self._destination.deliver(file, last, plain)
            self._accepted += len(plain)
            return
        except ServerFailed:
            raise
        except Unavailable:
            self._destination.marks()  # raises if the database is unavailable
        accepted_before = self._accepted
        # in random order: a few refused rows must not hide that others are accepted
        mixed = random.sample(plain, len(plain))
        for row in self._one_by_one(mixed, [], accepted_before):
            self._try_again(
                row, accepted_before, lambda: self._destination.deliver(file, rows[0][0] - 1, [])
            )
        self._destination.deliver(file, last, [])

    def _one_by_one(
        self, rows: Sequence[Row], failures: list[Row], accepted_before: int
    ) -> Sequence[Row]:
        """Deliver the rows without a mark, and return those that fail alone."""
        try:
            self._destination.deliver("", 0, rows)
            self._accepted += len(rows)
        except ServerFailed:
            raise
        except Unavailable as ex:
            if len(rows) == 1:
                failures.append(rows[0])
                accepts_none = (
                    self._accepted == accepted_before and len(failures) >= _FAILURES_TO_GIVE_UP
                )
                if accepts_none and not isinstance(ex, Refused):
                    raise
                return failures
            middle = len(rows) // 2
            for part in (rows[:middle], rows[middle:]):
                self._one_by_one(part, failures, accepted_before)
        return failures

    def _try_again(self, row: Row, accepted_before: int, write: Callable[[], None]) -> None:
        """Deliver a row that failed alone again, or make it a dead letter.

        *write* writes data that the database already has: if it fails, the database is the cause.
        """
        id = str(row[0])
        accepted_then = self._failed.setdefault(id, accepted_before)
        write()
        try:
            self._destination.deliver("", 0, [row])
        except ServerFailed:
            raise
        except Refused as ex:
            reason = str(ex)
        except Unavailable as ex:
            if self._accepted == accepted_then:  # no other was accepted since its first failure
                raise
            write()
            reason = str(ex)
        else:
            reason = ""
        del self._failed[id]
        if reason:
            self._dead.add(row, reason)
            _log.error("the database refuses the exchange %s: %s", id, reason)


def retry(destination: Destination, letters: DeadLetters, ids: Sequence[str]) -> dict[str, str]:
    """Deliver the dead letters with these ids again; return the reason for each refused one, by id.

    Raises:
        Unavailable: the database is unavailable, or the dead letters can't be read.
    """
    destination.marks()
    delivered, refused = [], {}
    for row in letters.rows():
        id = str(row[0])
        if id in ids:
            try:
                destination.deliver("", 0, [row])
                delivered.append(id)
            except ServerFailed:
                raise
            except Unavailable as ex:
                refused[id] = str(ex)
    letters.remove(delivered)
    return refused
