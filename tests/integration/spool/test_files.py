"""What appending does to a spool's files, on a real disk and across processes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from spools import files, health, some_exchanges
from support import newest

from diamond_adapters.requests.rows import exchange_of, split, to_row
from diamond_adapters.requests.shipper import Shipper
from diamond_core import Unavailable, new_exchange_id
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


def test_files_are_rotated_and_go_when_they_are_shipped(spooled, folder):
    log = spooled(limit=1 << 20)
    written = some_exchanges(30, response_body=b"x" * 20_000)
    log.append_all(written)
    assert len(files(folder)) > 3
    assert newest(log, 100) == written[::-1]
    assert len(files(folder)) == 1


def test_what_does_not_fit_is_refused_counted_and_heals(spooled, destination, folder):
    destination.away = True
    log = spooled(limit=1 << 20)
    log.append_all(some_exchanges(5, response_body=b"x" * 100_000))
    for _ in range(2):
        with pytest.raises(Unavailable, match="limit"):
            log.append(an_exchange(request_id="lost", response_body=b"x" * 900_000))
    after = health(folder, 1 << 20)
    assert after.lost == 2
    assert "could not be recorded" in after.problem
    destination.away = False
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


def test_more_files_than_descriptors_are_shipped_a_few_at_a_time(destination, folder, tmp_path):
    count = 300
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from pathlib import Path
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
destination = PeeweeRequestLog.from_url("sqlite:///{tmp_path / "requests.db"}")
for number in range({count}):
    log = SpooledRequestLog(destination, Path({str(folder)!r}))
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


def test_a_process_that_is_killed_at_any_moment_loses_and_damages_nothing(
    spooled, destination, folder
):
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
    Shipper(folder, destination).round()
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
def test_to_read_ones_own_file_takes_no_lock_from_it(spooled, destination, folder):
    log = spooled()
    log.append(an_exchange())
    held = locks_of_this_process(folder)
    assert {suffix for suffix, _ in held} == {".db", ".db-shm", ".live"}
    log._ends()
    health(folder)
    Shipper(folder, destination).round()
    assert set(held) <= set(locks_of_this_process(folder))


def test_what_a_crash_left_of_a_removed_file_is_swept(spooled, folder):
    folder.mkdir()
    for suffix in (".db-wal", ".db-shm"):
        (folder / f"{new_exchange_id()}{suffix}").write_bytes(b"x" * 100)
    log = spooled()
    log.append(an_exchange())
    assert len(newest(log)) == 1
    assert {path.stem for path in folder.glob("*.db-*")} == {path.stem for path in files(folder)}
