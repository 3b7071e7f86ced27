"""How the journal is: what waits in it, what it takes, and what is not as it should be."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from diamond_adapters.requests.delivery import PoisonBox
from diamond_adapters.requests.entries import count_entries, read_entries, unpack
from diamond_adapters.requests.journal import bytes_in
from diamond_adapters.requests.segment import NoSegment, Segment
from diamond_adapters.requests.shipper import files_in
from diamond_adapters.requests.tally import Tally
from diamond_core.errors import DiamondError
from diamond_core.requests.health import RequestLogHealth

_FRESH_SECONDS: Final = 1.0
_NEAR: Final = 0.8
_LITTLE_DISK: Final = 64 << 20
_RECENT_SECONDS: Final = 600.0
_LONG_SECONDS: Final = 15.0


class Census:
    """Looks at the journal's folder, at most once a second."""

    def __init__(self, folder: Path, limit: int, poison: PoisonBox, tally: Tally) -> None:
        self._folder = folder
        self._limit = limit
        self._poison = poison
        self._tally = tally
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a fork."""
        self._lock = threading.Lock()
        self._counted: dict[str, tuple[int, int, int]] = {}
        self._last: tuple[float, RequestLogHealth] | None = None

    def health(self, away: str) -> RequestLogHealth:
        """Return the health; *away* says why the database can't be written, or ''."""
        with self._lock:
            if self._last and time.monotonic() - self._last[0] < _FRESH_SECONDS:
                return self._last[1]
            health = self._look(away)
            self._last = (time.monotonic(), health)
            return health

    def _look(self, away: str) -> RequestLogHealth:
        pending, oldest = 0, None
        counted: dict[str, tuple[int, int, int]] = {}
        for path in files_in(self._folder):
            try:
                segment = Segment.open(path, adopt=False)
            except NoSegment:
                continue
            try:
                counted[path.name] = self._count(path.name, segment)
                pending += counted[path.name][2]
                if oldest is None and counted[path.name][2]:
                    oldest = _time_of_first(segment)
            finally:
                segment.close()
        self._counted = counted
        size = bytes_in(self._folder)
        poisoned = self._poison.count()
        counts = self._tally.read()
        age = max(0.0, time.time() - oldest) if oldest is not None else 0.0
        problems = [
            _away(away, pending, age),
            _size(size, self._limit),
            self._disk(),
            _losses(counts.lost, counts.lost_at),
            _poison(poisoned),
        ]
        return RequestLogHealth(
            pending=pending,
            oldest_age_seconds=age,
            bytes=size,
            limit=self._limit,
            shipped=counts.shipped,
            lost=counts.lost,
            dead_letters=poisoned,
            problem="; ".join(filter(None, problems)),
        )

    def _count(self, name: str, segment: Segment) -> tuple[int, int, int]:
        """Return up to where the file is counted, from where, and how many entries that are."""
        start, counted_to, count = segment.shipped, segment.shipped, 0
        before = self._counted.get(name)
        if before is not None and before[1] == start and before[0] <= segment.end:
            counted_to, count = before[0], before[2]
        more, counted_to = count_entries(segment.file, counted_to, segment.end)
        return counted_to, start, count + more

    def _disk(self) -> str:
        with suppress(OSError):
            disk = os.statvfs(self._folder)
            free = disk.f_bavail * disk.f_frsize
            if free < _LITTLE_DISK:
                return f"the journal's disk has only {free >> 20} MiB left"
        return ""


def _time_of_first(segment: Segment) -> float | None:
    """Return when the first waiting entry was made, in seconds since 1970."""
    for entry in read_entries(segment.file, segment.shipped, segment.end, segment.seed):
        with suppress(DiamondError):
            return unpack(entry.payload).occurred_at.timestamp()
        break
    return None


def _away(away: str, pending: int, age: float) -> str:
    waiting = _told(pending, "exchange waits in the journal", "exchanges wait in the journal")
    if away:
        return f"the database of the request record is away; {waiting}"
    if age > _LONG_SECONDS:
        return f"the database of the request record is slow; {waiting}, the oldest for {age:.0f} s"
    return ""


def _size(size: int, limit: int) -> str:
    if size < limit * _NEAR:
        return ""
    return f"the journal takes {size / limit:.0%} of its limit; beyond it exchanges are lost"


def _losses(lost: int, lost_at: float) -> str:
    if not lost or time.time() - lost_at > _RECENT_SECONDS:
        return ""
    at = datetime.fromtimestamp(lost_at, UTC).strftime("%H:%M:%S UTC")
    was = _told(lost, "exchange was", "exchanges were")
    return f"{was} answered but could not be kept, the last at {at}"


def _poison(poisoned: int) -> str:
    if not poisoned:
        return ""
    are = _told(
        poisoned,
        "exchange can't be recorded and is set aside",
        "exchanges can't be recorded and are set aside",
    )
    return f"{are} in journal/poison"


def _told(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
