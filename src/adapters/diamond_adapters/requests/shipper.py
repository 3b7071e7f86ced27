"""Moves exchanges from the spool to the destination: one process per home at a time."""

from __future__ import annotations

import logging
import os
import random
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from diamond_adapters.flock import locked
from diamond_adapters.private_files import create_folder
from diamond_adapters.requests import spool_files
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import Delivery
from diamond_adapters.requests.destination import Destination
from diamond_adapters.requests.monitor import Monitor
from diamond_adapters.requests.retention import EVERYTHING, Retention
from diamond_adapters.requests.rows import exchange_of, without_bodies
from diamond_adapters.requests.shipper_state import ShipperState
from diamond_core import Unavailable

LOCK: Final = "shipper.lock"
BELL: Final = "shipper.bell"
_RING: Final = b"!"
_END: Final = b"."
_PAUSE: Final = 0.25
_LAST_PAUSE: Final = 0.05
_MAXIMUM_PAUSE: Final = 5.0
_STATE_SECONDS: Final = 1.0
_PROBE_SECONDS: Final = 5.0
_IDLE_ROUNDS: Final = 6
_PRUNE_SECONDS: Final = 60.0
_MEASURE_SECONDS: Final = 5.0
_PRUNE_BATCH: Final = 1000
_DAY: Final = 86_400.0
_SALVAGED_BATCH: Final = 200
_LARGE_FILE: Final = 1 << 20
_REMOVED_AT_ONCE: Final = 50
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NOT_NOW: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})

_log = logging.getLogger(__name__)


class OutOfTime(Unavailable):
    """Not all exchanges were moved in the available time."""

    def __init__(self) -> None:
        super().__init__("the request log is not up to date yet; try again in a few seconds")


class Bell:
    """Wakes the shipper, or ends it: a named pipe in the spool."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / BELL

    def ring(self) -> None:
        """Make the shipper check the spool at once, if one runs."""
        self._send(_RING)

    def replace(self, settings: str) -> None:
        """Make the shipper end, so that one with these settings can start."""
        self._send(_END + settings.encode())

    def _send(self, message: bytes) -> None:
        with suppress(OSError):
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, message)
            finally:
                os.close(pipe)

    @contextmanager
    def heard(self) -> Iterator[Callable[[float], str]]:
        """Yield a function that waits for some seconds, or until the bell rings.

        If this shipper must end, the function returns the settings of the next one, else ''.
        """
        try:
            if not self._path.is_fifo():
                self._path.unlink(missing_ok=True)
                os.mkfifo(self._path, 0o600)
            pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        except OSError:  # a file system without pipes: the shipper reacts a little later
            yield _sleep
            return

        poll = select.poll()
        poll.register(pipe, select.POLLIN)

        def wait(seconds: float) -> str:
            heard = os.read(pipe, 1024) if poll.poll(seconds * 1000.0) else b""
            return heard.rpartition(_END)[2].rstrip(_RING).decode() if _END in heard else ""

        try:
            yield wait
        finally:
            os.close(pipe)


def _sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""


@contextmanager
def holding(folder: Path) -> Iterator[int | None]:
    """Hold the shipper's lock; yield its descriptor, or None if another process holds it.

    Raises:
        Unavailable: this process can't use the folder.
    """
    with ExitStack() as stack:
        try:
            create_folder(folder)
            file = stack.enter_context(locked(folder / LOCK, seconds=0.0))
        except OSError as ex:
            raise Unavailable(f"the spool in {folder} can't be used ({ex.strerror})") from ex
        yield file


class Shipper:
    """Ships the spool in *folder*. The process must hold the shipper's lock.

    Args:
        folder: the spool.
        destination: where the exchanges are shipped to.
        retention: what the destination keeps.
        settings: identifies the destination and *keep*; see ``settings_of``.
        monitor: a process that runs now and then beside it, and ends with it.
    """

    def __init__(
        self,
        folder: Path,
        destination: Destination,
        retention: Retention = EVERYTHING,
        settings: str = "",
        monitor: Monitor | None = None,
    ) -> None:
        self._folder = folder
        self._destination = destination
        self._keep, self._limit = retention.keep, retention.limit
        self._dead = DeadLetters(folder)
        self._delivery = Delivery(destination, self._dead)
        self._settings = settings
        self._monitor = monitor
        self._state = replace(ShipperState.read(folder), limit=retention.limit)
        self._shipped = self._state.shipped
        self._marks: dict[str, int] = {}
        self._gone = set(self._state.marks)  # files whose marks may still be stored
        self._names: list[str] = []
        self._emptied: list[Path] = []
        self._unreadable: set[str] = set()
        self._live = True
        self._probed_at = self._pruned_at = self._measured_at = float("-inf")
        self._written_at: float | None = None
        spool_files.sweep(folder)

    def run(self, stop: threading.Event, last_seconds: float = 30.0) -> None:
        """Ship until no process that can append is left.

        Once *stop* is set, ship for at most *last_seconds*: processes that end can still append.
        """
        self._take_over(self._settings)  # before another process can end this one
        try:
            with Bell(self._folder).heard() as wait:
                self._run(stop, last_seconds, wait)
        finally:
            if self._monitor is not None:
                self._monitor.close()

    def _run(
        self, stop: threading.Event, last_seconds: float, wait: Callable[[float], str]
    ) -> None:
        pause, idle, last_moment = _PAUSE, 0, float("inf")

        def is_over() -> bool:
            nonlocal last_moment
            if stop.is_set():
                last_moment = min(last_moment, time.monotonic() + last_seconds)
            return time.monotonic() >= last_moment

        while idle < _IDLE_ROUNDS and not is_over():
            problem, moved = "", 0
            try:
                moved = self.round(is_over)
                self._prune()
            except OutOfTime:
                return
            except Unavailable as ex:
                problem = str(ex)
            except Exception as ex:  # a bug must not end the shipper silently
                _log.exception("could not ship the spool")
                problem = f"{type(ex).__name__}: {ex}"
            with suppress(OSError):  # for example, too many open files
                self._tell(problem)
            if problem and not self._live:
                return  # the next shipper continues
            if self._monitor is not None:
                self._monitor.check(self._shipped)
            idle = 0 if moved or self._live else idle + 1
            pause = min(pause * 2.0, _MAXIMUM_PAUSE) if problem else _PAUSE
            rest = pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads the hosts
            successor = wait(min(rest, _LAST_PAUSE) if stop.is_set() or not self._live else rest)
            if successor:
                self._take_over(successor)
                return

    def round(self, is_over: Callable[[], bool] = lambda: False) -> int:
        """Move all waiting exchanges; return their number.

        Raises:
            OutOfTime: *is_over*, called between two batches, returned True.
            Unavailable: the destination or the disk failed for some files; the others are moved.
        """
        self._is_over = is_over
        self._live = self._any_live()
        self._write_state()  # an old state shows that the database does not answer
        before = self._shipped
        if time.monotonic() - self._probed_at > _PROBE_SECONDS:
            self._marks = dict(self._destination.marks())
            self._probed_at = time.monotonic()
        failure: Exception | None = None
        self._unreadable.clear()
        files = spool_files.files_in(self._folder)
        self._names = [path.stem for path in reversed(files)]
        self._emptied.clear()
        for path in files:
            self._check_time()
            try:
                self._empty(path)
            except OutOfTime:
                raise
            except (Unavailable, OSError, sqlite3.Error) as ex:
                failure = failure or ex
                # raises if the destination is unavailable: the other files would fail too
                self._marks = dict(self._destination.marks())
        if failure is not None:
            raise failure if isinstance(failure, Unavailable) else Unavailable(str(failure))
        self._remove_emptied()
        self._tell("")
        if self._shipped != before:
            self._write_state(now=True)
        return self._shipped - before

    def _empty(self, path: Path) -> None:
        """Move the rows of a file, and remove it if no process writes to it any more."""
        live = True
        try:
            live = spool_files.is_live(path)
            if not live and spool_files.has_only_its_log(path):
                self._set_aside(path)
                return
            self._ship(path)
            whole = live or spool_files.is_whole(path)
        except PermissionError:
            self._unreadable.add(path.name)
            return
        except sqlite3.Error as ex:
            code = getattr(ex, "sqlite_errorcode", 0) & 0xFF
            if code in _NOT_NOW:
                raise
            if live or code in _BUSY:
                if code not in _BUSY:
                    self._unreadable.add(path.name)
                return
            whole = spool_files.is_empty(path) and spool_files.is_whole(path)
        if not whole:
            self._salvage(path)
        elif not live:
            self._emptied.append(path)
            is_large = path.stat().st_size > _LARGE_FILE
            if is_large or len(self._emptied) >= _REMOVED_AT_ONCE:
                self._remove_emptied()

    def _ship(self, path: Path) -> None:
        last = self._marks.get(path.stem, 0)
        end = None if self._is_full() else self._delivery.deliver_file(path, last)
        if end is not None:
            self._moved(path, end, end - last)
            return
        with spool_files.reading(path) as connection:
            while rows := spool_files.rows_after(connection, self._marks.get(path.stem, 0)):
                self._check_time()
                self._deliver(path, rows)

    def _deliver(self, path: Path, rows: list[spool_files.NumberedRow]) -> None:
        if self._is_full():
            rows = [(number, without_bodies(row)) for number, row in rows]
        self._delivery.deliver(path.stem, rows)
        self._moved(path, rows[-1][0], len(rows))

    def _moved(self, path: Path, last: int, count: int) -> None:
        self._marks[path.stem] = last
        self._shipped += count
        self._write_state()

    def _is_full(self) -> bool:
        """Return whether the destination has reached its limit, measured a moment ago."""
        now = time.monotonic()
        if self._limit and now - self._measured_at > _MEASURE_SECONDS:
            was_full = self._state.size >= self._limit
            self._state = replace(self._state, size=self._destination.size(), limit=self._limit)
            self._measured_at = now
            if not was_full and self._state.size >= self._limit:
                _log.error("the request log has reached its limit: bodies are no longer kept")
        return bool(self._limit) and self._state.size >= self._limit

    def _salvage(self, path: Path) -> None:
        """Ship the readable rows of a damaged file, and keep its bytes."""
        some = []
        for numbered in spool_files.readable_rows(path, self._marks.get(path.stem, 0)):
            with suppress(ValueError):  # its values are damaged
                exchange_of(numbered[1])
                some.append(numbered)
            if len(some) >= _SALVAGED_BATCH:
                self._deliver(path, some)
                some = []
        if some:
            self._deliver(path, some)
        self._set_aside(path)

    def _set_aside(self, path: Path) -> None:
        self._gone.add(path.stem)
        spool_files.set_aside(path)
        _log.error(
            "the spool file %s is damaged: its readable exchanges are moved, and it is kept in %s",
            path.name,
            spool_files.DAMAGED,
        )

    def _remove_emptied(self) -> None:
        """Remove the completely shipped files, and delete the marks of files that are gone.

        This includes files that an earlier shipper removed; the state lists them until then.
        """
        if self._emptied:
            self._gone |= {path.stem for path in self._emptied}
            self._write_state(now=True)
            for path in self._emptied:
                spool_files.unlink(path)
            self._emptied.clear()
        if not self._gone:
            return
        gone = self._gone - {path.stem for path in spool_files.files_in(self._folder)}
        marked = gone & self._marks.keys()
        if marked:
            self._destination.forget_marks(marked)
        self._marks = {name: last for name, last in self._marks.items() if name not in marked}
        self._gone -= gone

    def _check_time(self) -> None:
        if self._is_over():
            raise OutOfTime

    def _any_live(self) -> bool:
        for path in spool_files.files_in(self._folder):
            with suppress(OSError):
                if spool_files.is_live(path):
                    return True
        return False

    def _prune(self) -> None:
        """Delete expired exchanges and dead letters."""
        now = time.monotonic()
        if self._keep is None or now - self._pruned_at < _PRUNE_SECONDS or self._state.held:
            return
        before = datetime.now(UTC) - self._keep
        if not self._destination.prune(before, limit=_PRUNE_BATCH):
            self._pruned_at = now
            with suppress(Unavailable):  # the health says that they can't be read
                self._dead.remove(self._dead.older(before))

    def _tell(self, problem: str) -> None:
        if problem and not self._state.problem:
            _log.error("exchanges wait in the spool: %s", problem)
        elif self._state.problem and not problem:
            _log.warning("the spool is shipped again")
        if problem != self._state.problem:
            self._state = replace(self._state, problem=problem)
            self._write_state(now=True)

    def _take_over(self, settings: str) -> None:
        self._state = replace(self._state, settings=settings)
        with suppress(OSError):
            self._write_state(now=True)

    def _write_state(self, *, now: bool = False) -> None:
        at, moment = time.time(), time.monotonic()
        passed = 0.0 if self._written_at is None else moment - self._written_at
        if self._written_at is not None and passed < _STATE_SECONDS and not now:
            return
        self._state = replace(
            self._state,
            at=at,
            marks={
                name: self._marks[name]
                for name in (*self._gone, *self._names)
                if name in self._marks
            },
            shipped=self._shipped,
            unreadable=len(self._unreadable),
            held=self._held(at, passed),
        )
        self._written_at = moment
        self._state.write(self._folder)

    def _held(self, at: float, passed: float) -> float:
        """Return how long to delete nothing, in seconds: one day after the clock jumped ahead."""
        if self._keep is None:
            return 0.0
        if self._state.at and at - self._state.at > _DAY:
            _log.warning("the clock jumped ahead by more than a day: nothing is deleted for a day")
            return _DAY
        return max(0.0, self._state.held - passed)
