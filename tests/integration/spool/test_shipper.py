"""The shipper: when it begins and ends, what it says of itself, what a killed one leaves."""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from spools import files, some_exchanges
from support import newest, shipper_runs, until

from diamond_adapters.flock import locked
from diamond_adapters.requests import shipper as shipper_module
from diamond_adapters.requests import spool_files
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.retention import Retention
from diamond_adapters.requests.rows import to_row
from diamond_adapters.requests.shipper import Bell, OutOfTime, Shipper, holding
from diamond_adapters.requests.shipper_state import FILE, ShipperState, settings_of
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_app.container import _begin_shipper, build_container
from diamond_app.settings import Settings
from diamond_core import ExchangeFilter, Unavailable, new_exchange_id
from diamond_core.testing import an_exchange

COUNT = 40


class Killed(BaseException):
    """What ends a shipper in the middle of its work."""


@pytest.fixture
def destination(tmp_path):
    log = PeeweeRequestLog.from_url(f"sqlite:///{tmp_path / 'requests.db'}")
    yield log
    log.close()


@pytest.fixture
def left(destination, folder):
    """Four files of processes that ended, ten exchanges in each."""
    folder.mkdir()
    for start in range(0, COUNT, 10):
        log = SpooledRequestLog(destination, folder)
        log.append_all([an_exchange(request_id=f"r{start + number}") for number in range(10)])
        log._spool.close()


def in_a_child(work):
    """Tell whether *work* is true in a child that is forked now."""
    child = os.fork()
    if child == 0:
        os._exit(0 if work() else 1)
    return os.waitpid(child, 0)[1] == 0


def is_free(path):
    """Tell whether another process could lock the file."""
    script = (
        "import sys; from pathlib import Path; from diamond_adapters.flock import locked\n"
        "with locked(Path(sys.argv[1]), seconds=0.0) as file: sys.exit(file is None)"
    )
    return subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0


def test_a_child_does_not_keep_a_lock_that_its_parent_held(tmp_path):
    path = tmp_path / "lock"
    (ends, told), child = os.pipe(), 0
    with locked(path, seconds=0.0) as file:
        assert file is not None
        assert not is_free(path)
        child = os.fork()
        if child == 0:
            os.close(told)
            os.read(ends, 1)  # lives on until the parent has looked
            os._exit(0)
    try:
        assert is_free(path)
    finally:
        os.close(told)
        os.close(ends)
        os.waitpid(child, 0)


def test_a_lock_that_another_holds_is_waited_for_as_long_as_told(tmp_path):
    path = tmp_path / "lock"
    with locked(path) as first:
        assert first is not None
        with locked(path, seconds=0.01) as second:
            assert second is None
    with locked(path, seconds=0.0) as third:
        assert third is not None
    with pytest.raises(FileNotFoundError), locked(tmp_path / "none", create=False):
        pass


def test_a_count_of_losses_that_is_locked_holds_up_nobody(folder):
    losses = Losses(folder)
    losses.prepare()
    with locked(folder / "losses"):
        losses.count()
        assert losses.read()[0] == 1
    losses.count()
    assert Losses(folder).read()[0] == 2


def test_a_child_reads_though_a_thread_of_its_parent_is_reading(destination, folder):
    log = SpooledRequestLog(destination, folder)
    log.append(an_exchange())
    with log._turn.taken():

        def reads():
            try:
                with log._turn.taken():
                    return True
            except Unavailable:
                return False

        assert not reads()
        assert in_a_child(reads)
    log.close()


@pytest.mark.usefixtures("left")
def test_a_round_ends_in_time_and_the_next_goes_on(destination, folder):
    asked = itertools.count()
    with pytest.raises(OutOfTime):
        Shipper(folder, destination).round(lambda: next(asked) >= 2)
    assert destination.count(ExchangeFilter()) == 20
    assert Shipper(folder, destination).round() == 20
    assert destination.count(ExchangeFilter()) == COUNT


@pytest.mark.usefixtures("left")
def test_a_shipper_that_is_to_stop_stops_between_two_batches(destination, folder):
    stop = threading.Event()
    deliver = destination.deliver_file

    def deliver_and_stop(path, file, last):
        stop.set()
        return deliver(path, file, last)

    destination.deliver_file = deliver_and_stop
    Shipper(folder, destination).run(stop, last_seconds=0.0)
    assert destination.count(ExchangeFilter()) == 10
    assert ShipperState.read(folder).problem == ""


@pytest.mark.usefixtures("left")
def test_a_reader_that_moves_a_long_backlog_gives_up_in_time(destination, folder, monkeypatch):
    log = SpooledRequestLog(destination, folder)
    moment = itertools.count(step=3.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(moment))
    with pytest.raises(OutOfTime, match="not up to date yet"):
        newest(log)
    monkeypatch.undo()
    assert len(newest(SpooledRequestLog(destination, folder), 100)) == COUNT


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("moment", ["forget_marks", "unlink"])
def test_the_marks_of_a_killed_shipper_are_forgotten_by_the_next(
    destination, folder, monkeypatch, moment
):
    def killed(*_):
        raise Killed

    place = destination if moment == "forget_marks" else spool_files
    with monkeypatch.context() as patch:
        patch.setattr(place, moment, killed)
        with pytest.raises(Killed):
            Shipper(folder, destination).round()
    assert destination.marks()
    Shipper(folder, destination).round()
    assert destination.count(ExchangeFilter()) == COUNT
    assert destination.marks() == {}


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("error", [Killed, PermissionError])
def test_pruned_exchanges_do_not_come_back_from_files_that_were_not_removed(
    destination, folder, monkeypatch, error
):
    def fail(path):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(spool_files, "unlink", fail)
        for _ in range(2):
            with pytest.raises(error):
                Shipper(folder, destination).round()
    assert len(files(folder)) == 4
    assert destination.prune(datetime.now(UTC), limit=2 * COUNT) == COUNT
    assert Shipper(folder, destination).round() == 0
    assert destination.count(ExchangeFilter()) == 0
    assert files(folder) == []


def test_a_file_that_is_set_aside_leaves_no_mark(destination, folder):
    log = SpooledRequestLog(destination, folder)
    log.append_all([an_exchange() for _ in range(3)])
    newest(log)
    assert destination.marks()
    path = log._spool.close()
    path.write_bytes(b"x" * 4096)
    Shipper(folder, destination).round()
    assert [each.name for each in folder.joinpath("damaged").iterdir()] == [path.name]
    assert destination.marks() == {}


def test_what_a_process_left_that_died_before_its_file_was_made_is_swept(destination, folder):
    folder.mkdir()
    old_draft, draft = folder / f"{new_exchange_id()}.draft", folder / f"{new_exchange_id()}.draft"
    left, held = folder / f"{new_exchange_id()}.live", folder / f"{new_exchange_id()}.live"
    for path in (old_draft, draft, left):
        path.touch()
    os.utime(old_draft, (0, 0))
    with locked(held):
        Shipper(folder, destination)
        assert {path.name for path in folder.iterdir()} == {draft.name, held.name}


def test_a_state_that_is_half_written_is_read_again(folder, monkeypatch):
    folder.mkdir()
    state = ShipperState(at=1.0, shipped=7, marks={"a": 3}, settings="x 90 days")
    state.write(folder)
    whole = (folder / FILE).read_bytes()
    reads = iter([whole[:20], whole])
    monkeypatch.setattr(Path, "read_bytes", lambda _: next(reads))
    assert ShipperState.read(folder) == state


@pytest.mark.parametrize("data", ["[]", "{", '{"at": "x"}', '{"marks": 3}', "null", "\N{BOMB}"])
def test_a_state_that_holds_anything_else_is_none(folder, data):
    folder.mkdir()
    (folder / FILE).write_text(data, encoding="utf-8")
    assert ShipperState.read(folder) == ShipperState()


@pytest.mark.parametrize("letter", ["x", "é", "\N{BOMB}", '"', "\ud800"])
def test_a_state_takes_the_same_room_whatever_it_says(folder, letter):
    folder.mkdir()
    marks = {new_exchange_id(): 10**9 for _ in range(100)}
    ShipperState(
        problem=letter * 5000, marks=marks, settings=settings_of("0" * 16, Retention())
    ).write(folder)
    assert (folder / FILE).stat().st_size == 4096
    assert len(json.loads((folder / FILE).read_bytes())["marks"]) == 60


def test_a_shipper_that_is_replaced_ends_and_says_for_whom(destination, folder):
    log = SpooledRequestLog(destination, folder)
    log.append(an_exchange())  # a process that lives: without a word the shipper would not end
    ended = threading.Event()

    def ship():
        with holding(folder) as lock:
            assert lock is not None
            Shipper(folder, destination, settings="one").run(threading.Event())
        ended.set()

    threading.Thread(target=ship, daemon=True).start()
    until(lambda: ShipperState.read(folder).settings == "one", "it has begun")

    def is_replaced():
        Bell(folder).ring()
        Bell(folder).replace("another for 90 days")
        Bell(folder).ring()
        return ended.wait(0.02)

    until(is_replaced, "it ends")
    assert ShipperState.read(folder).settings == "another for 90 days"
    log.close()


PROCESS = """
import sys
from pathlib import Path
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
log = SpooledRequestLog(None, Path(sys.argv[1]))
for number in range(200):
    log.append(an_exchange(request_id=f"{sys.argv[2]}-{number}"))
log._spool.close()
"""


def test_twelve_processes_append_beside_a_shipper(destination, folder):
    with holding(folder) as lock:
        assert lock is not None
        processes = [
            subprocess.Popen([sys.executable, "-c", PROCESS, str(folder), str(number)])
            for number in range(12)
        ]
        shipper = Shipper(folder, destination)

        def all_ended():
            shipper.round()
            return all(process.poll() is not None for process in processes)

        until(all_ended, "they end", seconds=60)
        shipper.round()
    assert {process.returncode for process in processes} == {0}
    found = [each.request_id for each in destination.find(ExchangeFilter(), limit=5000)]
    assert sorted(found) == sorted(f"{p}-{n}" for p in range(12) for n in range(200))
    assert destination.marks() == {}


def test_a_thread_ships_where_the_process_fails_at_its_start(destination, folder):
    def begin(lock):
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])

    log = SpooledRequestLog(destination, folder, begin_shipper=begin)
    log.start()
    log.append_all(some_exchanges(10))
    until(lambda: destination.count(ExchangeFilter()) == 10, "the exchanges are shipped")
    log.close()
    assert files(folder) == []


def test_a_long_time_to_keep_is_understood_by_the_shipper(tmp_path, monkeypatch):
    settings = Settings.load({"DIAMOND_HOME": str(tmp_path), "DIAMOND_KEEP_REQUESTS": "36500d"})
    begun = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: begun.append(env))
    _begin_shipper(settings, 3)
    assert Settings.load(begun[0]).keep_requests == timedelta(days=36500)


def test_a_killed_shipper_is_replaced(folder, tmp_path):
    settings = Settings.load({"DIAMOND_HOME": str(tmp_path)})
    log = build_container(settings).request_log()
    destination = PeeweeRequestLog.from_url(settings.database_url)
    log.start()
    try:
        until(lambda: shipper_runs(tmp_path), "a shipper runs")
        log.append_all(some_exchanges(10))
        until(lambda: destination.count(ExchangeFilter()) == 10, "the exchanges are shipped")
        first = log._watcher._process
        first.send_signal(signal.SIGKILL)
        first.wait()
        log.append_all(some_exchanges(10))
        until(lambda: destination.count(ExchangeFilter()) == 20, "another shipper ships")
        assert log._watcher._process.pid != first.pid
        assert newest(log, 1)[0].request_id == "r9"
        assert log.prune(datetime.now(UTC), limit=5) == 5
        log.append_all(some_exchanges(3))
    finally:
        log.close()
    assert destination.count(ExchangeFilter()) == 18, (
        "a process that ends waits until it is shipped"
    )
    assert files(folder) == []
    until(lambda: not shipper_runs(tmp_path), "the shipper ends")
    log._watcher._process.wait()


def test_a_thread_ships_where_no_process_can_be_begun(destination, folder):
    def begin(lock):
        raise OSError(errno.EAGAIN, "no more processes")

    log = SpooledRequestLog(destination, folder, begin_shipper=begin)
    log.start()
    log.append_all(some_exchanges(10))
    until(lambda: destination.count(ExchangeFilter()) == 10, "the exchanges are shipped")
    log.append_all(some_exchanges(10))
    assert len(newest(log, 100)) == 20
    log.close()
    assert files(folder) == []


def test_old_exchanges_are_pruned_by_the_shipper(destination, folder):
    old, new = an_exchange(), an_exchange(occurred_at=datetime.now(UTC))
    log = SpooledRequestLog(destination, folder)
    log.append_all([old, new])
    log.close()
    letters = DeadLetters(folder)
    for exchange in (old, new):
        letters.add(to_row(exchange), "too long")
    shipper = Shipper(folder, destination, Retention(timedelta(days=90)))
    shipper.run(threading.Event())
    assert destination.find(ExchangeFilter(), limit=9) == [new]
    assert letters.ids() == [new.id]


def test_nothing_is_pruned_for_a_day_after_the_clock_jumped_ahead(destination, folder, monkeypatch):
    recent = an_exchange(occurred_at=datetime.now(UTC))
    log = SpooledRequestLog(destination, folder)
    log.append(recent)
    log.close()
    now = time.time()
    keep = timedelta(days=90)
    monkeypatch.setattr(shipper_module, "_STATE_SECONDS", 0.0)
    Shipper(folder, destination, Retention(keep)).run(threading.Event())
    for year in (0, 1):  # the second is a restart, whose clock does not jump any more
        at = now + 75 * 365 * 86_400 + year

        class Clock(datetime):
            @classmethod
            def now(cls, zone=None, at=at):
                return datetime.fromtimestamp(at, zone)

        monkeypatch.setattr(time, "time", lambda at=at: at)
        monkeypatch.setattr(shipper_module, "datetime", Clock)
        Shipper(folder, destination, Retention(keep)).run(threading.Event())
        assert destination.count(ExchangeFilter()) == 1
        assert ShipperState.read(folder).held > 86_000
