"""A process that the shipper starts again and again, while exchanges are shipped."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 10.0
"""How long after the first exchange the process starts for the first time, unless it is more often."""

_RESTS: Final = 50.0
"""How many times longer than it runs the process rests: it takes 2 % of a core at most."""

_log = logging.getLogger(__name__)


class Monitor:
    """Starts a process if exchanges were shipped since, never two at once. It waits for nothing.

    Args:
        begin: starts the process.
        every: the minimum time between two starts, in seconds.
        seconds: a monotonic clock.
    """

    def __init__(
        self,
        begin: Callable[[], subprocess.Popen[bytes]],
        every: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._begin = begin
        self._every = every
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._next_at: float | None = None
        self._shipped: int | None = None
        self._has_failed = False

    def check(self, shipped: int) -> None:
        """Start the process if it is time; *shipped* exchanges were shipped until now."""
        now = self._seconds()
        if self._process is not None:
            self._look_after(self._process, now)
        elif shipped != self._shipped:
            if self._next_at is None:
                self._next_at = now + min(self._every, FIRST_SECONDS)
            if now >= self._next_at:
                self._shipped = shipped
                self._start(now)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _start(self, now: float) -> None:
        self._started_at, self._next_at = now, now + self._every
        try:
            self._process = self._begin()
        except OSError as ex:
            self._tell(failure=str(ex))

    def _look_after(self, process: subprocess.Popen[bytes], now: float) -> None:
        status = process.poll()
        if status is None:
            return
        self._process = None
        self._next_at = max(self._started_at + self._every, now + _RESTS * (now - self._started_at))
        self._tell(failure=f"its exit code is {status}" if status else "")

    def _tell(self, failure: str) -> None:
        if failure and not self._has_failed:
            _log.error("the requests can't be compared with the training data: %s", failure)
        self._has_failed = bool(failure)
