"""The delivery of rows into the destination, and what becomes of those that it refuses."""

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
"""So many exchanges must fail one by one, and none be taken, until the database takes none."""

_log = logging.getLogger(__name__)


class Delivery:
    """Delivers rows with the mark of their file; for whoever holds the shipper's lock.

    A row becomes a dead letter only if the error is about a value, or if it fails alone while
    another, which was not there yet, is taken: an error of the whole database costs no exchange.
    """

    def __init__(self, destination: Destination, dead: DeadLetters) -> None:
        self._destination = destination
        self._dead = dead
        self._taken = 0
        self._failed: dict[str, int] = {}

    def deliver_file(self, path: Path, last: int) -> int | None:
        """Deliver all rows of a file behind its row *last* at once; return the number of the last.

        None if the destination can't do it so: then ``deliver`` finds out why.
        """
        try:
            end = self._destination.deliver_file(path, path.stem, last)
        except Unavailable:
            return None
        if end is not None:
            self._taken += end - last
        return end

    def deliver(self, file: str, rows: Sequence[NumberedRow]) -> None:
        """Deliver the rows up to the last, with the mark.

        Raises:
            Unavailable: the destination does not take them now; to deliver them again is safe.
        """
        plain = [row for _, row in rows]
        last = rows[-1][0]
        try:
            self._destination.deliver(file, last, plain)
            self._taken += len(plain)
            return
        except ServerFailed:
            raise
        except Unavailable:
            self._destination.marks()  # raises where the database is away
        taken_before = self._taken
        # in any order, so that a few that are refused do not hide that others are taken
        mixed = random.sample(plain, len(plain))
        for row in self._one_by_one(mixed, [], taken_before):
            self._try_again(
                row, taken_before, lambda: self._destination.deliver(file, rows[0][0] - 1, [])
            )
        self._destination.deliver(file, last, [])

    def _one_by_one(
        self, rows: Sequence[Row], failures: list[Row], taken_before: int
    ) -> Sequence[Row]:
        """Deliver the rows without a mark, and return those that fail alone."""
        try:
            self._destination.deliver("", 0, rows)
            self._taken += len(rows)
        except ServerFailed:
            raise
        except Unavailable as ex:
            if len(rows) == 1:
                failures.append(rows[0])
                takes_none = self._taken == taken_before and len(failures) >= _FAILURES_TO_GIVE_UP
                if takes_none and not isinstance(ex, Refused):
                    raise
                return failures
            middle = len(rows) // 2
            for part in (rows[:middle], rows[middle:]):
                self._one_by_one(part, failures, taken_before)
        return failures

    def _try_again(self, row: Row, taken_before: int, write: Callable[[], None]) -> None:
        """Deliver a row that failed alone once more, or set it aside.

        *write* writes to the database what is there already: where it fails, the database is at fault.
        """
        id = str(row[0])
        taken_then = self._failed.setdefault(id, taken_before)
        write()
        try:
            self._destination.deliver("", 0, [row])
        except ServerFailed:
            raise
        except Refused as ex:
            reason = str(ex)
        except Unavailable as ex:
            if self._taken == taken_then:  # nothing else was taken since it failed first
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
    """Deliver dead letters of these ids; return why the database refuses those that are left, by id.

    Raises:
        Unavailable: the database is away, or the letters can't be read.
    """
    destination.marks()
    taken, refused = [], {}
    for row in letters.rows():
        id = str(row[0])
        if id in ids:
            try:
                destination.deliver("", 0, [row])
                taken.append(id)
            except ServerFailed:
                raise
            except Unavailable as ex:
                refused[id] = str(ex)
    letters.remove(taken)
    return refused
