"""The journal on a real disk: what is torn, damaged, refused, left behind, or shared."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from support import newest

from diamond_adapters.in_memory import InMemoryRequestLog
from diamond_adapters.requests.entries import pack, read_entries, unpack
from diamond_adapters.requests.journalled_request_log import JournalledRequestLog
from diamond_adapters.requests.segment import FIRST
from diamond_core.errors import Refused, Unavailable
from diamond_core.testing import an_exchange

SEED = 7
exchanges = some.builds(
    an_exchange,
    path=some.text(),
    query=some.text(some.characters()),  # lone surrogates too
    headers=some.dictionaries(some.text(), some.text()),
    status=some.integers(100, 599),
    duration_ms=some.floats(0, 1e9),
    request_body=some.binary(max_size=300),
    response_body=some.binary(max_size=300),
)


class FickleDatabase(InMemoryRequestLog):
    """A database that can be away, and that does not take the ids in ``refuses``."""

    def __init__(self):
        super().__init__()
        self.away = False
        self.refuses = set()
        self.refuses_with = Unavailable
        self.fails_after = False

    def append_all(self, exchanges):
        self._answer()
        if any(each.request_id in self.refuses for each in exchanges):
            raise self.refuses_with("data too long")
        super().append_all(exchanges)
        if self.fails_after:
            self.away = True
            raise Unavailable("the connection broke after the insert")

    def find(self, wanted, **how):
        self._answer()
        return super().find(wanted, **how)

    def _answer(self):
        if self.away:
            raise Unavailable("away")


@pytest.fixture
def database():
    return FickleDatabase()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def journalled(database, folder):
    """Make a log as each process of a home has one; they share the database and the folder."""
    made = []

    def make(**how):
        made.append(JournalledRequestLog(database, folder, **how))
        return made[-1]

    yield make
    database.away = False
    for log in made:
        log.close()


def some_exchanges(count, **changes):
    return [an_exchange(request_id=f"r{number}", **changes) for number in range(count)]


def files(folder):
    return sorted(folder.glob("*.log"))


def written_and_left(journalled, database, exchanges):
    """Append the exchanges and stop as a process that can't reach its database does."""
    database.away = True
    log = journalled()
    log.append_all(exchanges)
    log.close()
    database.away = False


@given(exchanges)
def test_an_entry_gives_back_its_exchange(exchange):
    header = 12
    assert unpack(pack(exchange, SEED)[header:]) == exchange


@given(some.lists(exchanges, max_size=4), some.integers(0, 4000))
def test_reading_ends_before_the_first_torn_entry(tmp_path_factory, written, cut):
    packed = [pack(exchange, SEED) for exchange in written]
    path = tmp_path_factory.getbasetemp() / "torn"
    path.write_bytes(b"".join(packed)[:cut])
    with path.open("rb") as file:
        found = [unpack(each.payload) for each in read_entries(file.fileno(), 0, cut, SEED)]
    whole, size = [], 0
    for exchange, entry in zip(written, packed, strict=True):
        size += len(entry)
        if size <= cut:
            whole.append(exchange)
    assert found == whole


def test_a_torn_last_entry_is_skipped(journalled, database, folder):
    kept = some_exchanges(3)
    written_and_left(journalled, database, [*kept, an_exchange(request_id="torn")])
    [path] = files(folder)
    os.truncate(path, path.stat().st_size - 1)
    log = journalled()
    assert list(newest(log, 10)) == kept[::-1]
    assert files(folder) == []
    assert log.health().dead_letters == 0


def test_a_damaged_entry_does_not_take_the_later_ones_with_it(journalled, database, folder):
    kept = some_exchanges(3)
    written_and_left(journalled, database, kept)
    [path] = files(folder)
    data = bytearray(path.read_bytes())
    data[data.index(kept[1].id.encode())] ^= 0xFF
    path.write_bytes(data)
    log = journalled()
    assert list(newest(log, 10)) == [kept[2], kept[0]]
    assert log.health().dead_letters == 1


def test_a_body_that_looks_like_an_entry_is_never_read_as_one(journalled, database, folder):
    forged = pack(an_exchange(request_id="forged"), 0)
    written_and_left(journalled, database, [an_exchange(request_body=forged * 3)])
    [path] = files(folder)
    os.truncate(path, path.stat().st_size - 1)
    assert list(newest(journalled(), 10)) == []


def test_what_a_living_process_appended_is_seen_by_another(journalled):
    one, other = journalled(), journalled()
    written = some_exchanges(5)
    one.append_all(written[:3])
    assert list(newest(other, 10)) == written[2::-1]
    one.append_all(written[3:])
    assert list(newest(other, 10)) == list(newest(one, 10)) == written[::-1]


def test_many_processes_adopt_a_file_once(journalled, database, folder):
    written = some_exchanges(300)
    written_and_left(journalled, database, written)
    logs = [journalled() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda log: newest(log, 1000), logs):
            assert list(found) == written[::-1]
    assert files(folder) == []


def test_an_insert_whose_answer_was_lost_is_repeated_to_no_effect(journalled, database):
    log = journalled()
    written = some_exchanges(10)
    log.append_all(written)
    database.fails_after = True
    with pytest.raises(Unavailable):
        newest(log, 1)
    database.fails_after = database.away = False
    assert list(newest(log, 100)) == written[::-1]


def test_exchanges_wait_while_the_database_is_away(journalled, database):
    log = journalled()
    database.away = True
    written = some_exchanges(10)
    log.append_all(written)
    with pytest.raises(Unavailable):
        newest(log, 1)
    assert log.health().pending == 10
    database.away = False
    assert list(newest(log, 100)) == written[::-1]


def test_a_refused_exchange_is_set_aside_and_stops_no_other(journalled, database, folder):
    log = journalled()
    written = some_exchanges(100)
    database.refuses = {"r3", "r50"}
    log.append_all(written)
    found = {each.request_id for each in newest(log, 1000)}
    assert found == {each.request_id for each in written} - database.refuses
    status = journalled().health()
    assert (status.pending, status.dead_letters) == (0, 2)
    assert "journal/poison" in status.problem
    reasons = [path.read_text() for path in (folder / "poison").glob("*.txt")]
    assert reasons == ["data too long\n"] * 2


def test_what_is_refused_for_good_is_set_aside_at_once(journalled, database):
    log = journalled()
    database.refuses, database.refuses_with = {"alone"}, Refused
    log.append(an_exchange(request_id="alone"))
    assert list(newest(log, 1)) == []
    assert (log.health().pending, log.health().dead_letters) == (0, 1)


def test_what_was_set_aside_can_be_put_back(journalled, database, folder):
    log = journalled()
    database.refuses = {"r1"}
    written = some_exchanges(3)
    log.append_all(written)
    newest(log, 1)
    database.refuses = set()
    for path in (folder / "poison").glob("*.log"):
        path.rename(folder / path.name)
    assert list(newest(log, 10)) == written[::-1]


def test_a_database_that_refuses_everything_is_ill_and_nothing_is_set_aside(journalled, database):
    log = journalled()
    written = some_exchanges(20)
    database.refuses = {each.request_id for each in written}
    log.append_all(written)
    for _ in range(3):
        with pytest.raises(Unavailable):
            newest(log, 1)
    assert (log.health().pending, log.health().dead_letters) == (20, 0)
    database.refuses = set()
    assert list(newest(log, 100)) == written[::-1]


def test_a_lone_refused_exchange_waits_until_another_is_taken(journalled, database):
    log = journalled()
    database.refuses = {"alone"}
    log.append(an_exchange(request_id="alone"))
    with pytest.raises(Unavailable):
        newest(log, 1)
    log.append(an_exchange(request_id="next"))
    assert [each.request_id for each in newest(log, 10)] == ["next"]


def test_files_are_rotated_and_go_when_they_are_shipped(journalled, database, folder):
    database.away = True
    log = journalled(limit=1 << 20)
    written = some_exchanges(200, response_body=b"x" * 1000)
    log.append_all(written)
    assert len(files(folder)) > 2
    database.away = False
    assert list(newest(log, 1000)) == written[::-1]
    assert len(files(folder)) == 1


def test_what_does_not_fit_is_refused_counted_and_heals(journalled, database, folder):
    database.away = True
    log = journalled(limit=1 << 20)
    fitting = some_exchanges(9, response_body=b"x" * 100_000)
    log.append_all(fitting)
    for _ in range(2):
        with pytest.raises(Unavailable, match="limit"):
            log.append(an_exchange(request_id="lost", response_body=b"x" * 200_000))
    status = journalled(limit=1 << 20).health()
    assert status.lost == 2
    assert status.bytes <= status.limit
    assert "limit" in status.problem
    assert "could not be kept" in status.problem
    database.away = False
    assert len(newest(log, 100)) == 9
    log.append(an_exchange(request_id="after", response_body=b"x" * 200_000))
    assert newest(log, 1)[0].request_id == "after"


def test_room_is_made_at_once_where_it_is_short(journalled, database, folder):
    log = journalled(limit=1 << 20)
    log.append(an_exchange(request_id="first", response_body=b"x" * 600_000))
    with pytest.raises(Unavailable):
        log.append(an_exchange(request_id="lost", response_body=b"x" * 600_000))
    assert [each.request_id for each in newest(log, 9)] == ["first"]
    log.append(an_exchange(request_id="after", response_body=b"x" * 600_000))
    assert newest(log, 1)[0].request_id == "after"


def test_a_write_that_breaks_off_leaves_the_file_readable(journalled, monkeypatch):
    log = journalled()
    log.append(an_exchange(request_id="before"))
    real = os.pwrite

    def half(file, data, at):
        if len(data) > FIRST:
            real(file, data[: len(data) // 2], at)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data, at)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(Unavailable):
        log.append(an_exchange(request_id="broken"))
    monkeypatch.setattr(os, "ftruncate", lambda file, size: real(-1, b"", 0))
    with pytest.raises(Unavailable):
        log.append(an_exchange(request_id="broken and not cut off"))
    monkeypatch.undo()
    log.append(an_exchange(request_id="after", response_body=b"short"))
    assert [each.request_id for each in newest(log, 10)] == ["after", "before"]
    assert log.health().lost == 2


def test_losses_of_all_processes_are_added_up(journalled, database, folder):
    logs = [journalled(limit=1 << 20) for _ in range(2)]
    too_much = b"x" * (2 << 20)
    for log in logs * 3:
        with pytest.raises(Unavailable):
            log.append(an_exchange(response_body=too_much))
    assert journalled().health().lost == 6


def test_a_durable_entry_is_synced_before_append_returns_and_threads_share_a_sync(
    journalled, monkeypatch
):
    log = journalled(durable=True)
    log.append(an_exchange(request_id="first"))
    synced, together, real = [], threading.Barrier(4), os.fdatasync

    def slow_sync(file):
        time.sleep(0.05)
        real(file)
        synced.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fdatasync", slow_sync)

    def append(number):
        together.wait()
        log.append(an_exchange(request_id=f"r{number}"))
        assert synced, "append returned before the sync"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    assert len(synced) < 4
    assert len(newest(log, 10)) == 5


def test_a_failed_sync_is_told_and_the_next_append_takes_another_file(
    journalled, folder, monkeypatch
):
    log = journalled(durable=True)
    log.append(an_exchange(request_id="before"))

    def broken(file):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(Unavailable):
        log.append(an_exchange(request_id="unsure"))
    monkeypatch.undo()
    log.append(an_exchange(request_id="after"))
    assert len(files(folder)) == 2
    assert newest(log, 1)[0].request_id == "after"


def test_a_clock_that_is_set_back_loses_nothing(journalled, monkeypatch):
    log = journalled()
    written = some_exchanges(3, occurred_at=datetime.now(UTC))
    log.append_all(written)
    past = time.time() - 86_400
    monkeypatch.setattr(time, "time", lambda: past)
    monkeypatch.setattr(time, "time_ns", lambda: int(past * 1e9))
    later = some_exchanges(3)
    assert later[0].id < written[0].id
    log.append_all(later)
    assert log.health().oldest_age_seconds == 0
    other = journalled()
    other.append(an_exchange(request_id="other"))
    assert len(newest(log, 100)) == 7


def test_the_thread_ships_and_close_finishes(journalled, database, folder):
    log = journalled()
    log.start()
    written = some_exchanges(50)
    log.append_all(written)
    log.close()
    assert list(newest(database, 100)) == written[::-1]
    assert files(folder) == []


FORKS = """
import os, sys
from pathlib import Path
from diamond_adapters.in_memory import InMemoryRequestLog
from diamond_adapters.requests.journalled_request_log import JournalledRequestLog
from diamond_core.testing import an_exchange
log = JournalledRequestLog(InMemoryRequestLog(), Path(sys.argv[1]))
log.append(an_exchange(request_id="parent"))
if os.fork() == 0:
    log.append(an_exchange(request_id="child"))
    os._exit(0)
os.wait()
log.append(an_exchange(request_id="parent again"))
os._exit(0)
"""


def test_a_forked_process_writes_a_file_of_its_own(journalled, folder):
    folder.mkdir()
    subprocess.run([sys.executable, "-c", FORKS, str(folder)], check=True, timeout=60)
    assert len(files(folder)) == 2
    found = [each.request_id for each in newest(journalled(), 10)]
    assert sorted(found) == ["child", "parent", "parent again"]
