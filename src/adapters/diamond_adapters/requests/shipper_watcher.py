"""Sees to it that a shipper runs."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from diamond_adapters.requests.shipper import Bell, holding
from diamond_adapters.requests.shipper_state import ShipperState

CLOSE_SECONDS: Final = 3.0
_FIRST_SECONDS: Final = 0.3
_WATCH_SECONDS: Final = 1.0
_RECENT_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)

Begin = Callable[[int], "subprocess.Popen[bytes]"]
"""Begins the shipper's process; the argument is the descriptor of its lock, which it is to keep."""


class ShipperWatcher:
    """A thread that begins the shipper's process where none runs.

    Where a service is reloaded with other settings, the watchers that begin end the shipper of
    before, and those of before leave it to them to begin another.

    Args:
        folder: the spool.
        begin: begins the process.
        ship_here: does its work until the event is set, where no process can be begun.
        settings: those of the shipper that *begin* begins: ``settings_of``.
    """

    def __init__(
        self,
        folder: Path,
        begin: Begin,
        ship_here: Callable[[threading.Event], None],
        settings: str,
    ) -> None:
        self._folder = folder
        self._begin = begin
        self._ship_here = ship_here
        self._settings = settings
        self._has_met = False
        self._bell = Bell(folder)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, once."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="watch-shipper", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, within three seconds; the process ends by itself."""
        self._stop.set()
        self._bell.ring()  # where the thread ships itself
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            self._thread = None

    def _run(self) -> None:
        wait = _FIRST_SECONDS
        while not self._stop.wait(wait):
            wait = _WATCH_SECONDS
            try:
                self._look()
            except Exception:  # a bug must not end the watch in silence
                _log.exception("could not see to the shipper")

    def _look(self) -> None:
        ended = None if self._process is None else self._process.poll()
        if self._process is not None and ended is None:
            return
        if ended is not None and ended > 0:
            _log.error("the shipper's process failed: a thread does its work")
            self._ship_here(self._stop)
            return
        try:
            with holding(self._folder) as lock:
                state = ShipperState.read(self._folder)
                is_other = state.settings != self._settings
                if lock is None:
                    self._meet(is_other=is_other)
                elif not (is_other and self._has_met and _is_recent(state)):
                    self._process = self._begin(lock)  # which holds it from now on
                    replace(state, at=time.time()).write(self._folder)  # readers let it start
                    self._has_met = True
        except OSError as ex:
            _log.error("the shipper's process can't be begun (%s): a thread does its work", ex)
            self._ship_here(self._stop)

    def _meet(self, *, is_other: bool) -> None:
        """End the shipper that runs, if none was met yet that has the settings of this one."""
        self._has_met = self._has_met or not is_other
        if not self._has_met:
            _log.info("the shipper has other settings: it ends, and another begins")
            self._bell.replace(self._settings)


def _is_recent(state: ShipperState) -> bool:
    return abs(time.time() - state.at) < _RECENT_SECONDS
