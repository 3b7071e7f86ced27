"""Moves journal entries into the database, off the request path."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from diamond_adapters.requests.delivery import PoisonBox, Refusals, hand_over
from diamond_adapters.requests.entries import Entry, next_entry, read_entries
from diamond_adapters.requests.journal import Journal
from diamond_adapters.requests.segment import (
    SUFFIX,
    NoSegment,
    Segment,
    remove_dead_drafts,
)
from diamond_adapters.requests.tally import Tally
from diamond_core.errors import Unavailable
from diamond_core.ports import RequestLog

_BATCH: Final = 500
_SMALL_BATCH: Final = 32
_BATCH_BYTES: Final = 4 << 20
_BACKLOG_BYTES: Final = 256 << 10
"""With less than this waiting, batches are small: a large one keeps requests from the interpreter."""
_FAILURES: Final = 3
"""So often must an entry fail, while others are taken, before it is set aside."""

_log = logging.getLogger(__name__)


class _NotTaken(Unavailable):
    """The database answers, and does not take an entry."""


class Shipper:
    """Ships this process's files, those of dead processes, and on demand those of living ones.

    Only entries in files that this process owns or has adopted are marked as shipped. An entry
    that is shipped twice, because whoever shipped it died before the mark, changes nothing.
    """

    def __init__(
        self, folder: Path, journal: Journal, database: RequestLog, poison: PoisonBox, tally: Tally
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._database = database
        self._poison = poison
        self._tally = tally
        self._adopted: list[Segment] = []
        self.forget()

    def forget(self) -> None:
        """Let go of all adopted files and begin anew, as after a fork."""
        for segment in self._adopted:
            segment.close()
        self._adopted = []
        self._lock = threading.Lock()
        self._readers = 0
        self._batch = _BATCH
        self._taken = 0
        self._failed: dict[tuple[Path, int], tuple[int, int]] = {}
        self._shown: dict[Path, int] = {}

    def ship(self, stop: threading.Event, *, adopt: bool = True) -> None:
        """Ship what is pending here and in adopted files, until *stop* is set.

        With *adopt*, look for files of the dead first.

        Raises:
            Unavailable: the database is away, or refuses something that may be taken later.
        """
        with self._turn(None):
            if adopt:
                self._adopt()
            ends = {segment: end for segment, end in self._ends().items() if segment.shipped < end}
        failure: Unavailable | None = None
        while ends and not stop.is_set():
            for segment, end in [*ends.items()]:
                with self._turn(None):
                    try:
                        more = self._ship_batch(segment, end)
                    except _NotTaken as ex:  # the other files go on
                        more, failure = False, ex
                    except OSError as ex:
                        more, failure = False, _unreadable(ex)
                if not more:
                    del ends[segment]
                while self._readers:
                    time.sleep(0.001)
        with self._turn(None):
            self._drop()
        if failure is not None:
            raise failure

    def settle(self, seconds: float, *, others: bool = True) -> None:
        """Bring into the database all that was appended before this call.

        With *others*, that of living workers too.

        Raises:
            Unavailable: the database is away, or it takes longer than *seconds*.
        """
        deadline = time.monotonic() + seconds
        self._readers += 1
        try:
            with self._turn(deadline):
                self._adopt()
                ends = self._ends()
                for segment, end in ends.items():
                    self._ship_to(segment, end, deadline)
                self._drop()
                if others:
                    self._show_others(deadline, {segment.path for segment in ends})
        except OSError as ex:
            raise _unreadable(ex) from ex
        finally:
            self._readers -= 1

    def _ends(self) -> dict[Segment, int]:
        return {each: each.end for each in (*self._adopted, *self._journal.segments())}

    def _ship_to(self, segment: Segment, end: int, deadline: float) -> None:
        failures, more = 0, True
        while more:
            _check(deadline)
            before = segment.shipped
            try:
                more = self._ship_batch(segment, end)
            except _NotTaken:
                failures = failures + 1 if segment.shipped == before else 1
                if failures > _FAILURES:
                    raise

    @contextmanager
    def _turn(self, deadline: float | None) -> Iterator[None]:
        wait = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._lock.acquire(timeout=wait):
            raise _catching_up()
        try:
            yield
        finally:
            self._lock.release()

    def _adopt(self) -> None:
        known = {each.path for each in (*self._adopted, *self._journal.segments())}
        for path in files_in(self._folder):
            if path not in known:
                try:
                    segment = Segment.open(path, adopt=True)
                except NoSegment:
                    continue
                self._adopted.append(segment)
                self._shown.pop(path, None)
        remove_dead_drafts(self._folder)

    def _drop(self) -> None:
        self._journal.drop_shipped()
        for segment in [*self._adopted]:
            if segment.shipped >= segment.end:
                self._adopted.remove(segment)
                segment.remove()

    def _ship_batch(self, segment: Segment, end: int) -> bool:
        """Ship a batch of the entries up to *end*; tell whether there are more."""
        entries = self._take(segment, segment.shipped, end)
        if not entries:
            if segment.shipped < end:
                self._step_over_damage(segment, end)
            return segment.shipped < end
        taken, failed, refused = hand_over(self._database, entries)
        self._taken += taken
        for entry, reason in refused:
            self._set_aside(segment, entry, reason)
        waits = self._judge(segment, failed)
        self._batch = min(self._batch * 2, _BATCH) if taken else _SMALL_BATCH
        self._tally.add(shipped=taken)
        segment.mark_shipped(entries[-1].end if waits is None else waits)
        if waits is not None:
            raise _NotTaken(f"the database does not take an exchange: {failed[0][1]}")
        return segment.shipped < end

    def _judge(self, segment: Segment, failed: Refusals) -> int | None:
        """Set aside what failed often enough; return where the first other one starts."""
        waits: int | None = None
        for entry, reason in failed:
            key = (segment.path, entry.start)
            times, taken_before = self._failed.get(key, (0, self._taken))
            if times + 1 >= _FAILURES and self._taken > taken_before and waits is None:
                self._set_aside(segment, entry, reason)
                self._failed.pop(key, None)
            else:
                self._failed[key] = (times + 1, taken_before)
                waits = entry.start if waits is None else waits
        return waits

    def _set_aside(self, segment: Segment, entry: Entry, reason: str) -> None:
        try:
            self._poison.set_aside(entry, reason, segment.seed)
        except OSError as ex:
            raise Unavailable(f"an exchange can't be set aside ({ex.strerror})") from ex

    def _take(self, segment: Segment, start: int, end: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        most = self._batch if end - start > _BACKLOG_BYTES else min(self._batch, _SMALL_BATCH)
        for entry in read_entries(segment.file, start, end, segment.seed):
            entries.append(entry)
            size += len(entry.payload)
            if len(entries) >= most or size >= _BATCH_BYTES:
                break
        return entries

    def _step_over_damage(self, segment: Segment, end: int) -> None:
        start = segment.shipped
        found = next_entry(segment.file, start + 1, end, segment.seed)
        if found is None:
            # An entry that was being written when its worker died: its response never left.
            segment.mark_shipped(end)
            return
        try:
            self._poison.set_damaged_aside(os.pread(segment.file, found - start, start))
        except OSError as ex:
            raise Unavailable(f"a damaged part can't be set aside ({ex.strerror})") from ex
        segment.mark_shipped(found)

    def _show_others(self, deadline: float, known: set[Path]) -> None:
        """Append what living workers have not shipped yet; they will do it again, to no effect."""
        living = [path for path in files_in(self._folder) if path not in known]
        self._shown = {path: self._shown[path] for path in living if path in self._shown}
        for path in living:
            try:
                segment = Segment.open(path, adopt=False)
            except NoSegment:
                continue
            try:
                start = max(segment.shipped, self._shown.get(path, 0))
                while entries := self._take(segment, start, segment.end):
                    hand_over(self._database, entries)  # its owner judges what is refused
                    start = entries[-1].end
                    self._shown[path] = start
                    _check(deadline)
            finally:
                segment.close()


def files_in(folder: Path) -> list[Path]:
    """Return the journal files in *folder*, oldest first; none where it is missing."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError:
        return []


def _unreadable(ex: OSError) -> Unavailable:
    return Unavailable(f"a file of the journal can't be read ({ex.strerror})")


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _catching_up()


def _catching_up() -> Unavailable:
    return Unavailable("the record is still being brought up to date; try again in some seconds")
