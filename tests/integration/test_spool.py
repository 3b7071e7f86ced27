"""The spool on a real disk: what waits, is refused, damaged, left behind, or shared."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as some
from support import newest, shipper_runs, until

from diamond_adapters.in_memory import InMemoryRequestLog
from diamond_adapters.requests import shipper as shipper_module
from diamond_adapters.requests import spooled_request_log
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import retry
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.record import WithMarks
from diamond_adapters.requests.rows import exchange_of, split, to_row
from diamond_adapters.requests.session import ServerFailed
from diamond_adapters.requests.shipper import Shipper, ShipperState
from diamond_adapters.requests.spool_health import health_of
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_app.container import _begin_shipper, build_container
from diamond_app.settings import Settings
from diamond_core import ExchangeFilter, Refused, Unavailable, new_exchange_id
from diamond_core.testing import an_exchange

exchanges = some.builds(
    an_exchange,
    id=some.builds(new_exchange_id),
    path=some.text(),
    query=some.text(some.characters(exclude_categories=["Cs"])),
    headers=some.dictionaries(some.text(), some.text()),
    status=some.integers(100, 599),
    duration_ms=some.floats(0, 1e9),
    request_body=some.binary(max_size=300),
    response_body=some.binary(max_size=300) | some.text(max_size=300).map(str.encode),
)


class FickleRecord(PeeweeRequestLog):
    """A record that can be away, and that does not take the request ids in ``refuses``."""

    away = False
    refuses = frozenset()
    refuses_with = Unavailable
    fails_after = False
    asked = 0

    def deliver_file(self, path, file, last):
        return None if self.refuses or self.fails_after else super().deliver_file(path, file, last)

    def deliver(self, file, last, rows):
        self._answer()
        self.asked += 1
        if any(row[1] in self.refuses for row in rows):
            raise self.refuses_with("data too long")
        super().deliver(file, last, rows)
        if self.fails_after:
            self.away = True
            raise Unavailable("the connection broke after the insert")

    def find(self, *filter, **options):
        self._answer()
        return super().find(*filter, **options)

    def marks(self):
        self._answer()
        return super().marks()

    def _answer(self):
        if self.away:
            raise Unavailable("away")


@pytest.fixture
def record(tmp_path):
    return FickleRecord.from_url(f"sqlite:///{tmp_path / 'requests.db'}")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture(autouse=True)
def no_rest(monkeypatch):
    """A reader that was turned away may come again at once, however slow the machine is."""
    monkeypatch.setattr(spooled_request_log, "_REST_SECONDS", 0.0)


@pytest.fixture
def spooled(record, folder):
    """Make a log as each process of a home has one; they share the record and the folder."""
    made = []

    def make(**options):
        made.append(SpooledRequestLog(record, folder, **options))
        return made[-1]

    yield make
    record.away = False
    for log in made:
        log.close()


def some_exchanges(count, **changes):
    return [an_exchange(request_id=f"r{number}", **changes) for number in range(count)]


def files(folder):
    return sorted(folder.glob("*.db"))


def health(folder, limit=1 << 30):
    return health_of(folder, limit, Losses(folder))


@given(exchanges)
def test_a_row_gives_back_its_exchange(exchange):
    assert exchange_of(to_row(exchange)) == exchange


@given(exchanges, some.integers(4, 100))
def test_a_row_is_cut_into_pieces_that_fit_and_lose_nothing(exchange, maximum):
    row = to_row(exchange)
    first, parts = split(row, maximum)
    for name, at in (("request", -2), ("response", -1)):
        pieces = [first[at], *(text for id, body, _, text in parts if body == name)]
        assert "".join(pieces) == row[at]
        assert all(len(piece.encode()) <= maximum for piece in pieces)


def test_what_a_living_process_appended_is_seen_by_another(spooled):
    one, other = spooled(), spooled()
    written = some_exchanges(5)
    one.append_all(written[:3])
    assert newest(other) == written[2::-1]
    one.append_all(written[3:])
    assert newest(other) == newest(one) == written[::-1]


def test_many_readers_ship_each_exchange_once(spooled, record, folder):
    written = some_exchanges(300)
    first = spooled()
    first.append_all(written)
    first.close()
    logs = [spooled() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda log: newest(log, 1000), logs):
            assert found == written[::-1]
    assert record.count(ExchangeFilter()) == 300
    assert files(folder) == []


def test_an_insert_whose_answer_was_lost_is_repeated_to_no_effect(spooled, record):
    log = spooled()
    written = some_exchanges(20)
    log.append_all(written)
    record.fails_after = True
    with pytest.raises(Unavailable):
        newest(log)
    record.away = record.fails_after = False
    assert newest(log, 100) == written[::-1]


def test_pruned_exchanges_do_not_come_back_after_a_lost_answer(spooled, record):
    log = spooled()
    log.append_all(some_exchanges(20))
    record.fails_after = True
    with pytest.raises(Unavailable):
        newest(log)
    record.away = record.fails_after = False
    assert record.prune(datetime.now(UTC), limit=100) == 20
    assert newest(log) == []


def test_exchanges_wait_while_the_database_is_away(spooled, record, folder):
    log = spooled()
    record.away = True
    written = some_exchanges(10)
    log.append_all(written)
    with pytest.raises(Unavailable):
        newest(log)
    log.close()
    assert len(files(folder)) == 1
    record.away = False
    assert newest(spooled(), 100) == written[::-1]
    assert files(folder) == []


@pytest.mark.parametrize("error", [Unavailable, Refused])
def test_a_refused_exchange_becomes_a_dead_letter_and_stops_no_other(
    spooled, record, folder, error
):
    log = spooled()
    written = some_exchanges(100)
    record.refuses, record.refuses_with = {"r0", "r3", "r50", "r99"}, error
    log.append_all(written)
    found = {each.request_id for each in newest(log, 1000)}
    assert found == {each.request_id for each in written} - record.refuses
    after = health(folder)
    assert (after.dead_letters, after.damaged) == (4, 0)
    assert "4 exchanges are dead letters" in after.problem
    letters = DeadLetters(folder).letters()
    assert {letter.reason for letter in letters} == {"data too long"}
    assert [letter.exchange for letter in letters] == [written[n] for n in (0, 3, 50, 99)]
    ids = [letter.exchange.id for letter in letters]
    assert set(retry(record, DeadLetters(folder), ids)) == set(ids)
    record.refuses = {"r99"}
    assert retry(record, DeadLetters(folder), ids) == {ids[-1]: "data too long"}
    assert len(newest(log, 1000)) == 99
    assert DeadLetters(folder).remove(ids) == 1
    assert health(folder).dead_letters == 0


def test_values_that_are_all_refused_become_dead_letters(spooled, record, folder):
    log = spooled()
    written = some_exchanges(20)
    record.refuses, record.refuses_with = {each.request_id for each in written}, Refused
    log.append_all(written)
    assert newest(log) == []
    assert [letter.exchange for letter in DeadLetters(folder).letters()] == written


def test_an_exchange_that_fails_alone_waits_until_another_is_taken(spooled, record, folder):
    log = spooled()
    record.refuses = {"r0"}
    log.append_all(some_exchanges(1))
    for _ in range(5):
        with pytest.raises(Unavailable, match="too long"):
            newest(log)
    assert health(folder).dead_letters == 0
    log.append(an_exchange(request_id="another"))
    assert [each.request_id for each in newest(log)] == ["another"]
    assert health(folder).dead_letters == 1


@pytest.mark.parametrize("error", [Unavailable, ServerFailed])
def test_a_database_that_refuses_everything_costs_no_exchange_and_is_not_pressed(
    spooled, record, folder, error
):
    log = spooled()
    written = some_exchanges(300)
    log.append_all(written)
    record.refuses = {each.request_id for each in written}
    record.refuses_with = error
    for _ in range(6):
        with pytest.raises(Unavailable, match="too long"):
            newest(log)
    assert record.asked <= (6 if error is ServerFailed else 6 * 20)
    assert health(folder).dead_letters == 0
    record.refuses = frozenset()
    assert newest(log, 1000) == written[::-1]


def test_an_outage_while_a_refused_exchange_is_looked_for_costs_no_other(
    spooled, record, folder, monkeypatch
):
    log = spooled()
    record.refuses = {"r7"}
    log.append_all(some_exchanges(50))
    deliver, calls = FickleRecord.deliver, iter(range(1000))

    def deliver_with_an_outage(self, file, last, rows):
        if 8 <= next(calls) <= 60:
            raise Unavailable("gone away")
        deliver(self, file, last, rows)

    monkeypatch.setattr(FickleRecord, "deliver", deliver_with_an_outage)
    monkeypatch.setattr(FickleRecord, "marks", PeeweeRequestLog.marks)
    until(lambda: len(found_or_nothing(log)) == 49, "the others are in the record")
    assert [letter.exchange.request_id for letter in DeadLetters(folder).letters()] == ["r7"]


def found_or_nothing(log):
    try:
        return newest(log, 100)
    except Unavailable:
        return []


def a_dead_file(folder):
    subprocess.run([sys.executable, "-c", DYING, str(folder)], check=False)
    (path,) = files(folder)
    return path, path.with_suffix(".db-wal")


def test_a_file_whose_first_page_says_that_it_is_empty_is_kept(spooled, record, folder):
    log = spooled()
    record.away = True
    log.append_all(some_exchanges(50))
    log.close()
    record.away = False
    (path,) = files(folder)
    data = bytearray(path.read_bytes())
    data[104] ^= 1  # how many tables there are
    path.write_bytes(data)
    newest(spooled())
    assert files(folder) == []
    assert (folder / "damaged" / path.name).read_bytes() == bytes(data)


def test_a_log_beside_an_empty_file_is_kept(spooled, folder):
    path, log = a_dead_file(folder)
    data = log.read_bytes()
    path.write_bytes(b"")
    newest(spooled())
    assert files(folder) == []
    assert (folder / "damaged" / log.name).read_bytes() == data


def test_a_log_without_its_file_is_kept(spooled, folder):
    path, log = a_dead_file(folder)
    data = log.read_bytes()
    path.rename(folder / "damaged.elsewhere")
    other = spooled()
    other.append(an_exchange())
    newest(other)
    assert (folder / "damaged" / log.name).read_bytes() == data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("losses", b"\xff" * 16),
        ("shipper.json", b'{"marks": null, "at": "x"}'),
        ("dead-letters.sqlite", b"no database at all"),
        ("shipper.bell", b"a file where a pipe was"),
    ],
)
def test_health_is_told_whatever_the_files_hold(spooled, folder, name, data):
    folder.mkdir()
    (folder / name).write_bytes(data)
    log = spooled()
    log.append(an_exchange())
    assert isinstance(log.health().problem, str)
    assert len(newest(log)) == 1


def test_a_problem_is_forgotten_once_all_is_moved(spooled, record, folder):
    log = spooled()
    log.append_all(some_exchanges(3))
    record.away = True
    Shipper(folder, record)._tell("away")
    record.away = False
    assert len(newest(log)) == 3
    assert health(folder).problem == ""


def test_a_long_time_to_keep_is_understood_by_the_shipper(tmp_path, monkeypatch):
    settings = Settings.load({"DIAMOND_HOME": str(tmp_path), "DIAMOND_KEEP_REQUESTS": "36500d"})
    begun = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: begun.append(env))
    _begin_shipper(settings, 3)
    assert Settings.load(begun[0]).keep_requests == timedelta(days=36500)


def test_a_thread_ships_where_the_process_fails_at_its_start(record, folder):
    def begin(lock):
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])

    log = SpooledRequestLog(record, folder, begin_shipper=begin)
    log.start()
    log.append_all(some_exchanges(10))
    until(lambda: record.count(ExchangeFilter()) == 10, "the exchanges are shipped")
    log.close()
    assert files(folder) == []


def test_the_files_of_others_go_on_beside_one_that_is_stuck(spooled, record, folder):
    stuck, other = spooled(), spooled()
    record.refuses, record.refuses_with = {"stuck"}, ServerFailed
    stuck.append(an_exchange(request_id="stuck"))
    other.append(an_exchange(request_id="other"))
    with pytest.raises(Unavailable):
        newest(stuck)
    assert [each.request_id for each in record.find(ExchangeFilter(), limit=9)] == ["other"]


def test_files_are_rotated_and_go_when_they_are_shipped(spooled, folder):
    log = spooled(limit=1 << 20)
    written = some_exchanges(30, response_body=b"x" * 20_000)
    log.append_all(written)
    assert len(files(folder)) > 3
    assert newest(log, 100) == written[::-1]
    assert len(files(folder)) == 1


def test_what_does_not_fit_is_refused_counted_and_heals(spooled, record, folder):
    record.away = True
    log = spooled(limit=1 << 20)
    log.append_all(some_exchanges(5, response_body=b"x" * 100_000))
    for _ in range(2):
        with pytest.raises(Unavailable, match="limit"):
            log.append(an_exchange(request_id="lost", response_body=b"x" * 900_000))
    after = health(folder, 1 << 20)
    assert after.lost == 2
    assert "could not be kept" in after.problem
    record.away = False
    assert len(newest(log, 100)) == 5
    log.append(an_exchange(request_id="after", response_body=b"x" * 100_000))
    assert newest(log, 1)[0].request_id == "after"


def test_losses_of_all_processes_are_added_up(spooled, folder):
    for _ in range(3):
        log = spooled(limit=1 << 20)
        with pytest.raises(Unavailable):
            log.append(an_exchange(response_body=b"x" * (2 << 20)))
    assert health(folder).lost == 3


@pytest.mark.parametrize(("durable", "synchronous"), [(False, 1), (True, 2)])
def test_a_durable_spool_is_synced_with_each_exchange(spooled, durable, synchronous):
    log = spooled(durable=durable)
    log.append(an_exchange())
    connection = log._spool._file.connection
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == synchronous


def test_a_clock_that_is_set_back_loses_nothing(spooled, monkeypatch):
    log = spooled()
    written = some_exchanges(3)
    log.append_all(written)
    newest(log)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3_600_000_000_000)
    later = some_exchanges(3)
    assert later[0].id < written[0].id
    log.append_all(later)
    other = spooled()
    other.append(an_exchange(request_id="other"))
    assert len(newest(log, 100)) == 7


def test_pages_that_cannot_be_read_are_kept_and_the_rest_is_shipped(spooled, record, folder):
    log = spooled()
    record.away = True
    log.append_all(some_exchanges(200, response_body=b"y" * 900))
    log.close()
    record.away = False
    (path,) = files(folder)
    data = bytearray(path.read_bytes())
    for at in range(20 * 2048, 22 * 2048):
        data[at] ^= 0xFF
    path.write_bytes(data)
    found = newest(spooled(), 1000)
    assert 150 < len(found) < 200
    assert all(each.response_body == b"y" * 900 for each in found)
    assert files(folder) == []
    assert (folder / "damaged" / path.name).read_bytes() == bytes(data)
    assert health(folder).damaged == 1
    assert "1 file of the spool can't be read" in health(folder).problem


DYING = """
import os, sys
from pathlib import Path
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
log = SpooledRequestLog(None, Path(sys.argv[1]))
for number in range(12):
    log.append(an_exchange(request_id=f"r{number}", response_body=b"z" * 1500))
os._exit(9)
"""


def test_a_flipped_bit_in_the_log_of_a_dead_process_is_never_passed_over(tmp_path):
    dead = tmp_path / "dead"
    subprocess.run([sys.executable, "-c", DYING, str(dead)], check=False)
    (log,) = dead.glob("*.db-wal")
    size = log.stat().st_size
    frame = 2048 + 24
    chance = random.Random(10)
    headers = [32 + frame * number + byte for number in (0, 3, 20) for byte in range(24)]
    places = [*range(32), *headers, *chance.sample(range(size), 40)]
    for number, place in enumerate(places):
        folder = tmp_path / f"{number}" / "spool"
        shutil.copytree(dead, folder)
        data = bytearray(log.read_bytes())
        data[place] ^= 1 << chance.randrange(8)
        (folder / log.name).write_bytes(data)
        record = PeeweeRequestLog.from_url(f"sqlite:///{folder.parent / 'requests.db'}")
        with closing(SpooledRequestLog(record, folder)) as log_of_others:
            found = [each.request_id for each in newest(log_of_others, 100)]
        assert found == [f"r{number}" for number in range(len(found))][::-1]
        assert files(folder) == []
        assert (folder / "damaged" / log.name).read_bytes() == bytes(data), place
        assert health(folder).damaged == 1


@pytest.fixture
def open_folder():
    """A folder that all users may use; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_a_file_of_another_user_is_named_and_left_alone(open_folder):
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    folder = open_folder / "spool"
    subprocess.run([sys.executable, "-c", DYING, str(folder)], check=False)
    others = {path.name: path.read_bytes() for path in folder.iterdir()}
    folder.chmod(0o777)
    code = """
import os, sys
from pathlib import Path
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import retry
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.spool_health import health_of
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core import ExchangeFilter
from diamond_core.testing import an_exchange
os.setgroups([]); os.setgid(65534); os.setuid(65534)
folder = Path(sys.argv[1])
record = PeeweeRequestLog.from_url(f"sqlite:///{folder.parent / 'requests.db'}")
log = SpooledRequestLog(record, folder)
log.append(an_exchange(request_id="own"))
print([each.request_id for each in log.find(ExchangeFilter(), limit=50)])
print(health_of(folder, 1 << 30, Losses(folder)).problem)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "['own']",
        "1 file of the spool can't be read; damaged ones are kept in spool/damaged",
    ], done.stderr
    assert {name: (folder / name).read_bytes() for name in others} == others


def test_more_files_than_descriptors_are_shipped_a_few_at_a_time(record, folder, tmp_path):
    count = 300
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from pathlib import Path
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import retry
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.session import ServerFailed
from diamond_adapters.requests.spool_health import health_of
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
record = PeeweeRequestLog.from_url("sqlite:///{tmp_path / "requests.db"}")
for number in range({count}):
    log = SpooledRequestLog(record, Path({str(folder)!r}))
    log.append(an_exchange())
    log._spool.close()
assert len(list(Path({str(folder)!r}).glob("*.db"))) == {count}
from diamond_core import ExchangeFilter
print(log.count(ExchangeFilter()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == f"{count}\n", done.stderr
    assert files(folder) == []


CHILD = """
import os, sys
from pathlib import Path
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import retry
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.session import ServerFailed
from diamond_adapters.requests.spool_health import health_of
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
folder = Path(sys.argv[1])
log = SpooledRequestLog(PeeweeRequestLog.from_url(f"sqlite:///{folder.parent / 'requests.db'}"), folder)
log.append(an_exchange(request_id="parent"))
if os.fork() == 0:
    log.append(an_exchange(request_id="child"))
    os._exit(0)
os.wait()
log.append(an_exchange(request_id="parent again"))
os._exit(0)
"""


def test_a_forked_process_writes_a_file_of_its_own(spooled, folder):
    folder.mkdir()
    subprocess.run([sys.executable, "-c", CHILD, str(folder)], check=True)
    assert len(files(folder)) == 3
    found = [each.request_id for each in newest(spooled())]
    assert sorted(found) == ["child", "parent", "parent again"]


def test_a_killed_shipper_is_replaced(folder, tmp_path):
    settings = Settings.load({"DIAMOND_HOME": str(tmp_path)})
    log = build_container(settings).request_log()
    record = PeeweeRequestLog.from_url(settings.database_url)
    log.start()
    try:
        until(lambda: shipper_runs(tmp_path), "a shipper runs")
        log.append_all(some_exchanges(10))
        until(lambda: record.count(ExchangeFilter()) == 10, "the exchanges are shipped")
        first = log._watcher._process
        first.send_signal(signal.SIGKILL)
        first.wait()
        log.append_all(some_exchanges(10))
        until(lambda: record.count(ExchangeFilter()) == 20, "another shipper ships")
        assert log._watcher._process.pid != first.pid
        assert newest(log, 1)[0].request_id == "r9"
        assert log.prune(datetime.now(UTC), limit=5) == 5
        log.append_all(some_exchanges(3))
    finally:
        log.close()
    assert record.count(ExchangeFilter()) == 18, "a process that ends waits until it is shipped"
    assert files(folder) == []
    until(lambda: not shipper_runs(tmp_path), "the shipper ends")
    log._watcher._process.wait()


def test_a_thread_ships_where_no_process_can_be_begun(record, folder):
    def begin(lock):
        raise OSError(errno.EAGAIN, "no more processes")

    log = SpooledRequestLog(record, folder, begin_shipper=begin)
    log.start()
    log.append_all(some_exchanges(10))
    until(lambda: record.count(ExchangeFilter()) == 10, "the exchanges are shipped")
    log.append_all(some_exchanges(10))
    assert len(newest(log, 100)) == 20
    log.close()
    assert files(folder) == []


def test_old_exchanges_are_pruned_by_the_shipper(record, folder):
    old, new = an_exchange(), an_exchange(occurred_at=datetime.now(UTC))
    log = SpooledRequestLog(record, folder)
    log.append_all([old, new])
    log.close()
    shipper = Shipper(folder, record, timedelta(days=90))
    shipper.run(threading.Event())
    assert record.find(ExchangeFilter(), limit=9) == [new]


def test_nothing_is_pruned_for_a_day_after_the_clock_jumped_ahead(record, folder, monkeypatch):
    recent = an_exchange(occurred_at=datetime.now(UTC))
    log = SpooledRequestLog(record, folder)
    log.append(recent)
    log.close()
    now = time.time()
    keep = timedelta(days=90)
    monkeypatch.setattr(shipper_module, "_STATE_SECONDS", 0.0)
    Shipper(folder, record, keep).run(threading.Event())
    for year in (0, 1):  # the second is a restart, whose clock does not jump any more
        at = now + 75 * 365 * 86_400 + year

        class Clock(datetime):
            @classmethod
            def now(cls, zone=None, at=at):
                return datetime.fromtimestamp(at, zone)

        monkeypatch.setattr(time, "time", lambda at=at: at)
        monkeypatch.setattr(shipper_module, "datetime", Clock)
        Shipper(folder, record, keep).run(threading.Event())
        assert record.count(ExchangeFilter()) == 1
        assert ShipperState.read(folder).held > 86_000


BUSY = """
import sys
from pathlib import Path
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
log = SpooledRequestLog(None, Path(sys.argv[1]), limit=1 << 25)
log._spool._limit = 1 << 16  # a file has two or three exchanges
log._spool._fits = lambda size: True
while True:
    exchange = an_exchange(response_body=b"z" * 1500)
    log.append(exchange)
    print(exchange.id, flush=True)
"""


def test_a_process_that_is_killed_at_any_moment_loses_and_damages_nothing(spooled, record, folder):
    chance = random.Random(5)
    answered = set()
    for _ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", BUSY, str(folder)], stdout=subprocess.PIPE, text=True
        ) as process:
            for _ in range(chance.randrange(1, 60)):
                answered.add(process.stdout.readline().strip())
            process.kill()
            answered |= {line.strip() for line in process.stdout if line.endswith("\n")}
    Shipper(folder, record).round()
    found = {each.id for each in newest(spooled(), 100_000)}
    assert answered <= found
    assert len(found) <= len(answered) + 12, "one each may be kept and not answered"
    assert files(folder) == []
    assert (health(folder).damaged, health(folder).lost) == (0, 0)


def test_a_file_of_a_process_that_died_before_its_table_was_made_is_removed(spooled, folder):
    folder.mkdir()
    (folder / f"{new_exchange_id()}.db").write_bytes(b"")
    assert newest(spooled()) == []
    assert files(folder) == []
    assert health(folder).damaged == 0


def locks_of_this_process(folder):
    names = {path.stat().st_ino: path.suffix for path in folder.iterdir()}
    rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    mine = [row for row in rows if row[4] == str(os.getpid())]
    return sorted(
        (names[inode], row[6]) for row in mine if (inode := int(row[5].split(":")[-1])) in names
    )


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="locks are read from /proc")
def test_to_read_ones_own_file_takes_no_lock_from_it(spooled, record, folder):
    log = spooled()
    log.append(an_exchange())
    held = locks_of_this_process(folder)
    assert {suffix for suffix, _ in held} == {".db", ".db-shm", ".live"}
    log._ends()
    health(folder)
    Shipper(folder, record).round()
    assert set(held) <= set(locks_of_this_process(folder))


def test_what_a_crash_left_of_a_removed_file_is_swept(spooled, folder):
    folder.mkdir()
    for suffix in (".db-wal", ".db-shm"):
        (folder / f"{new_exchange_id()}{suffix}").write_bytes(b"x" * 100)
    log = spooled()
    log.append(an_exchange())
    assert len(newest(log)) == 1
    assert {path.stem for path in folder.glob("*.db-*")} == {path.stem for path in files(folder)}


def test_any_other_request_log_can_be_the_record(folder):
    record = InMemoryRequestLog()
    log = SpooledRequestLog(WithMarks(record, folder / "marks.json"), folder)
    written = some_exchanges(3)
    log.append_all(written)
    assert newest(log) == written[::-1]
    record.prune(datetime.now(UTC), limit=9)
    log.append(another := an_exchange())
    assert newest(log) == [another], "what is pruned does not come back"
    log.close()
    assert files(folder) == []


def test_a_reader_of_the_record_cannot_write_it(record, spooled):
    log = spooled()
    log.append(an_exchange())
    newest(log)
    with pytest.raises(peewee.OperationalError, match="readonly"):
        record._reader.execute_sql("DELETE FROM requests")


def test_a_dead_letter_whose_values_are_damaged_is_listed(folder):
    folder.mkdir()
    letters = DeadLetters(folder)
    row = list(to_row(an_exchange()))
    for place, value in ((2, 7), (6, None), (9, "x"), (14, 3)):
        letters.add((new_exchange_id(), *row[1:place], value, *row[place + 1 :]), "refused")
    letters.add(tuple(row), "refused")
    whole = [each.exchange for each in letters.letters()]
    assert whole.count(None) >= 3
    assert exchange_of(tuple(row)) in whole
