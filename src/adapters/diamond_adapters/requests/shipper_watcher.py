"""Makes sure that a shipper runs."""

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
from diamond_core import Unavailable

CLOSE_SECONDS: Final = 3.0
_FIRST_SECONDS: Final = 0.3
_WATCH_SECONDS: Final = 1.0
_RECENT_SECONDS: Final = 10.0

_log = logging.getLogger(__name__)

Begin = Callable[[int], "subprocess.Popen[bytes]"]
"""Starts the shipper's process; the argument is the descriptor of its lock, which it inherits."""


class ShipperWatcher:
    """A thread that starts the shipper's process if none runs.

    If a service is reloaded with other settings, the new watchers end the old shipper, and the old
    watchers do not start another one.

    Args:
        folder: the spool.
        begin: starts the process.
        ship_here: does the shipper's work until the event is set, if no process can be started.
        settings: those of the shipper that *begin* starts; see ``settings_of``.
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
        self._problem = ""
        self._bell = Bell(folder)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the thread, once."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="watch-shipper", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, within three seconds; the process ends itself."""
        self._stop.set()
        self._bell.ring()  # in case the thread itself ships
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            self._thread = None

    def _run(self) -> None:
        wait = _FIRST_SECONDS
        while not self._stop.wait(wait):
            wait = _WATCH_SECONDS
            try:
                self._check()
            except Unavailable as ex:
                if str(ex) != self._problem:  # not every second
                    _log.error("exchanges can't be shipped: %s", ex)
                self._problem = str(ex)
            except Exception:  # a bug must not end the watcher silently
                _log.exception("could not check the shipper")
            else:
                self._problem = ""

    def _check(self) -> None:
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
                    self._process = self._begin(lock)  # which inherits the lock
                    replace(state, at=time.time()).write(self._folder)  # readers wait for its start
                    self._has_met = True
        except OSError as ex:
            _log.error("the shipper's process can't be started (%s): a thread does its work", ex)
            self._ship_here(self._stop)

    def _meet(self, *, is_other: bool) -> None:
        """End the running shipper, unless one with this watcher's settings has already run."""
        self._has_met = self._has_met or not is_other
        if not self._has_met:
            _log.info("the shipper has other settings: it ends, and a new one starts")
            self._bell.replace(self._settings)


def _is_recent(state: ShipperState) -> bool:
    return abs(time.time() - state.at) < _RECENT_SECONDS
