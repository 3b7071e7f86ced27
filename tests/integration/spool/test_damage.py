"""Damaged files of a spool, and those of others, are kept and named."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from spools import DYING, a_dead_file, files, health, some_exchanges
from support import newest

from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.rows import exchange_of, to_row
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core import new_exchange_id
from diamond_core.testing import an_exchange


def test_a_file_whose_first_page_says_that_it_is_empty_is_kept(spooled, destination, folder):
    log = spooled()
    destination.away = True
    log.append_all(some_exchanges(50))
    log.close()
    destination.away = False
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


def test_pages_that_cannot_be_read_are_kept_and_the_rest_is_shipped(spooled, destination, folder):
    log = spooled()
    destination.away = True
    log.append_all(some_exchanges(200, response_body=b"y" * 900))
    log.close()
    destination.away = False
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
        destination = PeeweeRequestLog.from_url(f"sqlite:///{folder.parent / 'requests.db'}")
        with closing(SpooledRequestLog(destination, folder)) as log_of_others:
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
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.spool_health import health_of
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core import ExchangeFilter
from diamond_core.testing import an_exchange
os.setgroups([]); os.setgid(65534); os.setuid(65534)
folder = Path(sys.argv[1])
destination = PeeweeRequestLog.from_url(f"sqlite:///{folder.parent / 'requests.db'}")
log = SpooledRequestLog(destination, folder)
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
