"""A request log that appends to a local spool; its database gets the exchanges a moment later."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from diamond_adapters.requests.destination import Destination
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.retention import EVERYTHING, Retention
from diamond_adapters.requests.shipper import Bell, OutOfTime, Shipper, holding
from diamond_adapters.requests.shipper_state import ShipperState, settings_of
from diamond_adapters.requests.shipper_watcher import CLOSE_SECONDS, Begin, ShipperWatcher
from diamond_adapters.requests.spool import Spool
from diamond_adapters.requests.spool_files import files_in, last_row, reading
from diamond_adapters.requests.spool_health import health_of
from diamond_core import Exchange, ExchangeFilter, RequestLogHealth, Unavailable

DEFAULT_LIMIT: Final = 1 << 30
_FRESH_SECONDS: Final = 1.0
_CATCH_UP_SECONDS: Final = 5.0
_TURN_SECONDS: Final = 0.25
_REST_SECONDS: Final = 2.0
_STUCK_SECONDS: Final = 3.0

_log = logging.getLogger(__name__)


class SpooledRequestLog:
    """A ``RequestLog``: a spool in front of a *destination*.

    ``append`` writes to the spool and returns; a separate process, the shipper, moves the exchanges
    to the destination. A read waits until the destination has all exchanges that were appended
    before; if no shipper runs, the read moves them itself.

    Args:
        destination: where the spool's exchanges are shipped to.
        folder: the folder of the spool; the processes of a home share it.
        durable: whether an exchange survives a power cut, not only a killed process.
        limit: the maximum size of the spool, in bytes.
        begin_shipper: starts the shipper's process; ``start`` makes sure that one runs. None: no
            process is started.
        retention: what the destination keeps.
        database: identifies the destination's database; '': ship exchanges that wait for another
            database here too.
        watch: identifies what the shipper's monitor does.
    """

    def __init__(
        self,
        destination: Destination,
        folder: Path,
        *,
        durable: bool = False,
        limit: int = DEFAULT_LIMIT,
        begin_shipper: Begin | None = None,
        retention: Retention = EVERYTHING,
        database: str = "",
        watch: str = "",
    ) -> None:
        self._destination = destination
        self._folder = folder
        self._limit = limit
        self._retention = retention
        self._database = database
        self._settings = settings_of(database, retention, watch)
        self._losses = Losses(folder)
        self._spool = Spool(folder, durable=durable, limit=limit, losses=self._losses)
        self._bell = Bell(folder)
        self._watcher: ShipperWatcher | None = None
        if begin_shipper is not None:
            self._watcher = ShipperWatcher(folder, begin_shipper, self._ship_here, self._settings)
        self._is_started = False
        self._turn = _Turn()
        self._health: tuple[float, RequestLogHealth] = (float("-inf"), RequestLogHealth())

    def append(self, exchange: Exchange) -> None:
        self._spool.append(exchange)

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        for exchange in exchanges:
            self._spool.append(exchange)

    def find(
        self,
        filter: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        with self._turn.taken():
            self._catch_up()
            return self._destination.find(filter, limit=limit, before=before, bodies=bodies)

    def count(self, filter: ExchangeFilter) -> int:
        with self._turn.taken():
            self._catch_up()
            return self._destination.count(filter)

    def prune(self, before: datetime, *, limit: int) -> int:
        with self._turn.taken():
            self._catch_up()
            return self._destination.prune(before, limit=limit)

    def health(self) -> RequestLogHealth:
        at, health = self._health
        if time.monotonic() - at > _FRESH_SECONDS:
            try:
                health = health_of(self._folder, self._limit, self._losses)
            except Exception as ex:  # the spool's files can contain anything
                _log.exception("the health of the spool is unknown")
                problem = f"the health of the request log is unknown ({type(ex).__name__})"
                health = RequestLogHealth(problem=problem)
            self._health = (time.monotonic(), health)
        return health

    def start(self) -> None:
        self._is_started = True
        self._losses.prepare()
        with suppress(Unavailable):  # the next append raises it
            self._spool.open()
        if self._watcher is not None:
            self._watcher.start()

    def close(self) -> None:
        """Leave the waiting exchanges to the shipper, and wait a moment until they are moved."""
        left = self._spool.close()
        if self._watcher is not None:
            self._watcher.stop()
        deadline = time.monotonic() + CLOSE_SECONDS
        with suppress(Unavailable):  # the exchanges wait for the next start
            while left is not None and left.exists() and time.monotonic() < deadline:
                if ShipperState.read(self._folder).problem or self._ship_now(deadline):
                    break
                self._bell.ring()
                time.sleep(0.02)
        self._destination.close()

    def _ship_now(self, deadline: float) -> bool:
        """Move the waiting exchanges if no shipper runs; return whether this call moved them.

        Raises:
            OutOfTime: not all were moved until *deadline*, in ``time.monotonic``.
            Unavailable: the destination does not accept them.
        """
        with holding(self._folder) as lock:
            if lock is not None:
                self._shipper().round(lambda: time.monotonic() > deadline)
            return lock is not None

    def _ship_here(self, stop: threading.Event) -> None:
        """Do the shipper's work until *stop* is set, if no other shipper runs."""
        with holding(self._folder) as lock:
            if lock is not None:
                self._shipper().run(stop, last_seconds=0.0)

    def _shipper(self) -> Shipper:
        return Shipper(self._folder, self._destination, self._retention, self._settings)

    def _catch_up(self) -> None:
        """Wait until the destination has all exchanges that were appended before this call.

        Raises:
            Unavailable: it takes more than a few seconds, or the database is unavailable.
        """
        now = time.monotonic()
        try:
            if not files_in(self._folder) or self._waits_for_another():
                return
            if self._ship_now(now + _CATCH_UP_SECONDS):
                return
        except OSError as ex:
            raise Unavailable(f"the spool can't be read ({ex.strerror})") from ex
        ends = self._ends()
        while ends:
            self._check_shipper(waited=time.monotonic() - now)
            self._bell.ring()
            marks = self._destination.marks()
            ends = {
                path: end
                for path, end in ends.items()
                if marks.get(path.stem, 0) < end and path.exists()
            }
            if ends:
                time.sleep(0.01)

    def _waits_for_another(self) -> bool:
        """Return whether the spool goes to another database; only a service changes that."""
        if self._is_started or not self._database:
            return False
        if ShipperState.read(self._folder).database in ("", self._database):
            return False
        _log.warning(
            "the exchanges of this home go to another database until the service is started with "
            "this one: the answer does not include exchanges that wait in the spool"
        )
        return True

    def _ends(self) -> dict[Path, int]:
        """Return the last row of each file; files that can't be read are skipped."""
        ends = {}
        for path in files_in(self._folder):
            with suppress(OSError, sqlite3.Error), reading(path) as connection:
                ends[path] = last_row(connection)
        return ends

    def _check_shipper(self, *, waited: float) -> None:
        state = ShipperState.read(self._folder)
        if state.problem:
            raise Unavailable(f"the request log's database is unavailable: {state.problem}")
        if time.time() - state.at > _STUCK_SECONDS and waited > _TURN_SECONDS:
            raise Unavailable("the request log's database does not answer")
        if waited > _CATCH_UP_SECONDS:
            raise OutOfTime


class _Turn:
    """Lets one thread at a time wait for the database, so that the others can serve prices.

    If the database is fast, the threads take turns; if not, the others fail at once.
    """

    def __init__(self) -> None:
        self._reset()
        reset = weakref.WeakMethod(self._reset)

        def after_in_child() -> None:
            if present := reset():
                present()

        os.register_at_fork(after_in_child=after_in_child)

    def _reset(self) -> None:
        self._lock = threading.Lock()  # in a child, the parent's lock could stay locked
        self._began = float("inf")
        self._failed = float("-inf")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn; raise ``Unavailable`` if the database did not answer another thread."""
        now = time.monotonic()
        if now - self._failed < _REST_SECONDS:
            raise Unavailable("the request log's database did not answer a moment ago")
        left = min(_TURN_SECONDS, self._began + _TURN_SECONDS - now)
        if not self._lock.acquire(timeout=max(0.0, left)):
            raise Unavailable("the request log's database has not answered another request yet")
        self._began = began = time.monotonic()
        try:
            yield
        except Unavailable:
            if time.monotonic() - began > _TURN_SECONDS:
                self._failed = time.monotonic()
            raise
        finally:
            self._began = float("inf")
            self._lock.release()
