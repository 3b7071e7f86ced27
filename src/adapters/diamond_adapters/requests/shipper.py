"""Moves what waits in the spool into the record: one process per home at a time."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import random
import select
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from diamond_adapters.requests import spool_files
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import Delivery
from diamond_adapters.requests.record import Record
from diamond_adapters.requests.rows import exchange_of
from diamond_core import Unavailable

LOCK: Final = "shipper.lock"
BELL: Final = "shipper.bell"
STATE: Final = "shipper.json"
_PAUSE: Final = 0.25
_LAST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_STATE_BYTES: Final = 4096
_PROBLEM: Final = 500
_FEW_MARKS: Final = 60
_STATE_SECONDS: Final = 1.0
_PROBE_SECONDS: Final = 5.0
_IDLE_ROUNDS: Final = 6
_PRUNE_SECONDS: Final = 60.0
_PRUNE_BATCH: Final = 1000
_DAY: Final = 86_400.0
_SALVAGED_BATCH: Final = 200
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NOT_NOW: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperState:
    """What the shipper last said of itself.

    Attributes:
        at: when, in seconds since 1970.
        problem: why the record does not take exchanges, or ''.
        marks: for each file of the spool that the record has some rows of, the last of them.
        shipped: exchanges that were moved, since the home was made.
        unreadable: files that this process may not read now, or SQLite can't.
        held: for so many seconds more old exchanges are not deleted, because the clock jumped ahead.
    """

    at: float = 0.0
    problem: str = ""
    marks: Mapping[str, int] = field(default_factory=dict)
    shipped: int = 0
    unreadable: int = 0
    held: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> ShipperState:
        """Return the last state; that of a home without one is empty."""
        try:
            values = json.loads((folder / STATE).read_bytes())
            known = {name: values[name] for name in cls.__slots__ if name in values}
            state, usual = cls(**known), cls()
        except (OSError, ValueError, TypeError):
            return cls()
        kinds = [(getattr(state, name), type(getattr(usual, name))) for name in cls.__slots__]
        is_sound = all(
            isinstance(value, (int, kind) if kind is float else kind) for value, kind in kinds
        )
        return state if is_sound else usual

    def write(self, folder: Path) -> None:
        """Keep it for whoever asks, in a file of fixed size: a full disk can hold it."""
        few = dict(sorted(self.marks.items())[-_FEW_MARKS:])  # one a worker, as a rule
        state = replace(self, problem=self.problem[:_PROBLEM], marks=few)
        data = json.dumps(asdict(state)).encode().ljust(_STATE_BYTES)
        with suppress(OSError):
            file = os.open(folder / STATE, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, data, 0)
                os.ftruncate(file, len(data))
            finally:
                os.close(file)


class Bell:
    """Wakes the shipper: a pipe with a name in the spool."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / BELL

    def ring(self) -> None:
        """Have the shipper look at once, if one runs."""
        with suppress(OSError):
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, b"!")
            finally:
                os.close(pipe)

    @contextmanager
    def heard(self) -> Iterator[Callable[[float], None]]:
        """Give what waits so many seconds, or until somebody rings."""
        try:
            if not self._path.is_fifo():
                self._path.unlink(missing_ok=True)
                os.mkfifo(self._path, 0o600)
            pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        except OSError:  # a file system without pipes: whoever rings waits a little longer
            yield time.sleep
            return

        poll = select.poll()
        poll.register(pipe, select.POLLIN)

        def wait(seconds: float) -> None:
            if poll.poll(seconds * 1000.0):
                os.read(pipe, 1024)

        try:
            yield wait
        finally:
            os.close(pipe)


@contextmanager
def holding(folder: Path) -> Iterator[int | None]:
    """Hold the shipper's lock; give its descriptor, or None where another process holds it.

    Raises:
        Unavailable: this process may not use the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as ex:
        raise Unavailable(f"the spool in {folder} can't be used ({ex.strerror})") from ex
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
    finally:
        os.close(file)


class Shipper:
    """To be used by whoever holds the lock of *folder*.

    Args:
        folder: the spool.
        record: where the exchanges go.
        keep: for how long the record keeps an exchange; None: for good.
    """

    def __init__(self, folder: Path, record: Record, keep: timedelta | None = None) -> None:
        self._folder = folder
        self._record = record
        self._keep = keep
        self._delivery = Delivery(record, DeadLetters(folder))
        self._state = ShipperState.read(folder)
        self._shipped = self._state.shipped
        self._marks: dict[str, int] = {}
        self._unreadable: set[str] = set()
        self._live = True
        self._probed_at = self._pruned_at = float("-inf")
        self._written_at: float | None = None
        spool_files.sweep(folder)

    def run(self, stop: threading.Event, last_seconds: float = 30.0) -> None:
        """Ship until no process is left that could append.

        Once *stop* is set, for *last_seconds* at most: processes that end may still append.
        """
        with Bell(self._folder).heard() as wait:
            self._run(stop, last_seconds, wait)

    def _run(
        self, stop: threading.Event, last_seconds: float, wait: Callable[[float], None]
    ) -> None:
        pause, idle, last_moment = _PAUSE, 0, float("inf")
        while idle < _IDLE_ROUNDS and time.monotonic() < last_moment:
            problem, moved = "", 0
            try:
                moved = self.round()
                self._prune()
            except Unavailable as ex:
                problem = str(ex)
            except Exception as ex:  # a bug must not end the shipping in silence
                _log.exception("could not ship the spool")
                problem = f"{type(ex).__name__}: {ex}"
            with suppress(OSError):  # as many files are open as there may be
                self._tell(problem)
            if problem and not self._live:
                return  # whoever starts next goes on
            idle = 0 if moved or self._live else idle + 1
            pause = min(pause * 2.0, _LONGEST_PAUSE) if problem else _PAUSE
            if stop.is_set():
                last_moment = min(last_moment, time.monotonic() + last_seconds)
            rest = pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads the hosts
            wait(min(rest, _LAST_PAUSE) if stop.is_set() or not self._live else rest)

    def round(self) -> int:
        """Move what waits now; return how many exchanges that were.

        Raises:
            Unavailable: the record or the disk does not take them; those of other files are moved.
        """
        self._live = self._any_live()
        self._write_state()  # a state that grows old shows that the database does not answer
        before = self._shipped
        if time.monotonic() - self._probed_at > _PROBE_SECONDS:
            self._marks = dict(self._record.marks())
            self._probed_at = time.monotonic()
        failure: Exception | None = None
        self._unreadable.clear()
        for path in spool_files.files_in(self._folder):
            try:
                self._empty(path)
            except (Unavailable, OSError, sqlite3.Error) as ex:
                failure = failure or ex
                self._marks = dict(self._record.marks())  # where it is away, the others need no try
        if failure is not None:
            raise failure if isinstance(failure, Unavailable) else Unavailable(str(failure))
        self._tell("")
        if self._shipped != before:
            self._write_state(now=True)
        return self._shipped - before

    def _empty(self, path: Path) -> None:
        """Move what a file holds, and remove it if no process writes it any more."""
        live = True
        try:
            live = spool_files.is_live(path)
            if not live and spool_files.lacks_its_head(path):
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
            spool_files.unlink(path)
            self._forget(path)

    def _ship(self, path: Path) -> None:
        last = self._marks.get(path.stem, 0)
        end = self._delivery.deliver_file(path, last)
        if end is not None:
            self._moved(path, end, end - last)
            return
        with spool_files.reading(path) as connection:
            while rows := spool_files.rows_after(connection, self._marks.get(path.stem, 0)):
                self._deliver(path, rows)

    def _deliver(self, path: Path, rows: list[spool_files.NumberedRow]) -> None:
        self._delivery.deliver(path.stem, rows)
        self._moved(path, rows[-1][0], len(rows))

    def _moved(self, path: Path, last: int, count: int) -> None:
        self._marks[path.stem] = last
        self._shipped += count
        self._write_state()

    def _salvage(self, path: Path) -> None:
        """Ship what can be read of a damaged file, and keep its bytes."""
        some = []
        for numbered in spool_files.readable_rows(path, self._marks.get(path.stem, 0)):
            with suppress(ValueError, TypeError):  # its values are damaged
                exchange_of(numbered[1])
                some.append(numbered)
            if len(some) >= _SALVAGED_BATCH:
                self._deliver(path, some)
                some = []
        if some:
            self._deliver(path, some)
        self._set_aside(path)

    def _set_aside(self, path: Path) -> None:
        spool_files.set_aside(path)
        _log.error(
            "the spool file %s is damaged: what can be read of it is moved, and it is kept in %s",
            path.name,
            spool_files.DAMAGED,
        )

    def _forget(self, path: Path) -> None:
        if self._marks.pop(path.stem, None) is not None:
            self._record.forget_mark(path.stem)

    def _any_live(self) -> bool:
        for path in spool_files.files_in(self._folder):
            with suppress(OSError):
                if spool_files.is_live(path):
                    return True
        return False

    def _prune(self) -> None:
        """Delete what was kept for long enough."""
        now = time.monotonic()
        if self._keep is None or now - self._pruned_at < _PRUNE_SECONDS or self._state.held:
            return
        if not self._record.prune(datetime.now(UTC) - self._keep, limit=_PRUNE_BATCH):
            self._pruned_at = now

    def _tell(self, problem: str) -> None:
        if problem and not self._state.problem:
            _log.error("exchanges wait in the spool: %s", problem)
        elif self._state.problem and not problem:
            _log.warning("the spool is emptied again")
        if problem != self._state.problem:
            self._state = replace(self._state, problem=problem)
            self._write_state(now=True)

    def _write_state(self, *, now: bool = False) -> None:
        at, moment = time.time(), time.monotonic()
        passed = 0.0 if self._written_at is None else moment - self._written_at
        if self._written_at is not None and passed < _STATE_SECONDS and not now:
            return
        files = [path.stem for path in spool_files.files_in(self._folder)]
        self._state = replace(
            self._state,
            at=at,
            marks={name: self._marks[name] for name in files if name in self._marks},
            shipped=self._shipped,
            unreadable=len(self._unreadable),
            held=self._held(at, passed),
        )
        self._written_at = moment
        self._state.write(self._folder)

    def _held(self, at: float, passed: float) -> float:
        """Return for how long to delete nothing: after its clock jumped ahead, a day."""
        if self._keep is None:
            return 0.0
        if self._state.at and at - self._state.at > _DAY:
            _log.warning("the clock is a day ahead of before: nothing is deleted for a day")
            return _DAY
        return max(0.0, self._state.held - passed)
