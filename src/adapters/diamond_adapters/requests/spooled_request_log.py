"""A request log that answers at once and reaches its database a moment later."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from diamond_adapters.requests.destination import Destination
from diamond_adapters.requests.losses import Losses
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
    """A ``RequestLog``: the spool in front of a *destination*.

    ``append`` writes to the spool and returns; a process of its own, the shipper, moves the
    exchanges into the destination. Reading waits until the destination holds whatever was appended before;
    where no shipper runs, it moves the exchanges itself.

    Args:
        destination: where the exchanges go.
        folder: where the spool lies; the processes of a home share it.
        durable: an exchange survives a power cut, not only the death of the process.
        limit: the most bytes that the spool may take.
        begin_shipper: begins the shipper's process; ``start`` sees to it that one runs. None: no
            process is begun.
        keep: for how long the destination keeps an exchange; None: for good.
        database: tells the destination's database from others; '' if it does not matter where exchanges
            go that wait for another.
    """

    def __init__(
        self,
        destination: Destination,
        folder: Path,
        *,
        durable: bool = False,
        limit: int = DEFAULT_LIMIT,
        begin_shipper: Begin | None = None,
        keep: timedelta | None = None,
        database: str = "",
    ) -> None:
        self._destination = destination
        self._folder = folder
        self._limit = limit
        self._keep = keep
        self._database = database
        self._losses = Losses(folder)
        self._spool = Spool(folder, durable=durable, limit=limit, losses=self._losses)
        self._bell = Bell(folder)
        self._watcher: ShipperWatcher | None = None
        if begin_shipper is not None:
            settings = settings_of(database, keep)
            self._watcher = ShipperWatcher(folder, begin_shipper, self._ship_here, settings)
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
            except Exception as ex:  # files of the spool that hold anything
                _log.exception("the health of the spool is not known")
                problem = f"the health of the request log is not known ({type(ex).__name__})"
                health = RequestLogHealth(problem=problem)
            self._health = (time.monotonic(), health)
        return health

    def start(self) -> None:
        self._is_started = True
        self._losses.prepare()
        with suppress(Unavailable):  # an append will say so
            self._spool.open()
        if self._watcher is not None:
            self._watcher.start()

    def close(self) -> None:
        """Leave what waits to the shipper, and wait for a moment until it is moved."""
        left = self._spool.close()
        if self._watcher is not None:
            self._watcher.stop()
        deadline = time.monotonic() + CLOSE_SECONDS
        with suppress(Unavailable):  # it waits for the next start
            while left is not None and left.exists() and time.monotonic() < deadline:
                if ShipperState.read(self._folder).problem or self._ship_now(deadline):
                    break
                self._bell.ring()
                time.sleep(0.02)
        self._destination.close()

    def _ship_now(self, deadline: float) -> bool:
        """Move what waits, if nobody else does; tell whether that was so.

        Raises:
            OutOfTime: not all was moved until *deadline*, in ``time.monotonic``.
            Unavailable: the destination does not take it.
        """
        with holding(self._folder) as lock:
            if lock is not None:
                self._shipper().round(lambda: time.monotonic() > deadline)
            return lock is not None

    def _ship_here(self, stop: threading.Event) -> None:
        """Be the shipper, if nobody else is, until *stop* is set."""
        with holding(self._folder) as lock:
            if lock is not None:
                self._shipper().run(stop, last_seconds=0.0)

    def _shipper(self) -> Shipper:
        settings = settings_of(self._database, self._keep)
        return Shipper(self._folder, self._destination, self._keep, settings)

    def _catch_up(self) -> None:
        """Return when the destination holds whatever was appended before this call.

        Raises:
            Unavailable: it does not within a few seconds, or the database is known to be away.
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
        """Tell whether what waits goes to another database; only a service may change that."""
        known = ShipperState.read(self._folder).database
        is_another = bool(known and self._database) and known != self._database
        if self._is_started or not is_another:
            return False
        _log.warning(
            "the exchanges of this home go to another database, until the service is started with "
            "this one: what waits in the spool is not in the answer"
        )
        return True

    def _ends(self) -> dict[Path, int]:
        """Return the last row of each file; one that can't be read is not waited for."""
        ends = {}
        for path in files_in(self._folder):
            with suppress(OSError, sqlite3.Error), reading(path) as connection:
                ends[path] = last_row(connection)
        return ends

    def _check_shipper(self, *, waited: float) -> None:
        state = ShipperState.read(self._folder)
        if state.problem:
            raise Unavailable(f"the request log's database is away: {state.problem}")
        if time.time() - state.at > _STUCK_SECONDS and waited > _TURN_SECONDS:
            raise Unavailable("the request log's database does not answer")
        if waited > _CATCH_UP_SECONDS:
            raise OutOfTime


class _Turn:
    """Lets one thread at a time wait for the database: the others are needed for prices.

    While it answers in a moment, they take turns; where it does not, they fail at once.
    """

    def __init__(self) -> None:
        self._begin_anew()
        begin_anew = weakref.WeakMethod(self._begin_anew)

        def after_in_child() -> None:
            if present := begin_anew():
                present()

        os.register_at_fork(after_in_child=after_in_child)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()  # in a child: of no thread of its parent
        self._began = float("inf")
        self._failed = float("-inf")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raise ``Unavailable`` where the database did not answer another thread."""
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
