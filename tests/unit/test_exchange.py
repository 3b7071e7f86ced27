import os
import random
import time
from datetime import datetime, timedelta, timezone

import pytest

from diamond_core import DiamondError
from diamond_core.exchange import is_sane_request_id, new_serial
from diamond_core.testing import an_exchange


def test_makes_serials_that_differ_and_sort_by_time():
    serials = [new_serial() for _ in range(1000)]
    assert len(set(serials)) == 1000
    assert [serial[:16] for serial in serials] == sorted(serial[:16] for serial in serials)
    assert all(len(serial) == 32 for serial in serials)


def test_makes_other_serials_whatever_seed_others_set(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    serials = set()
    for _ in range(3):
        random.seed(0)
        serials.add(new_serial())
    assert len(serials) == 3


def test_makes_other_serials_in_a_forked_process(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, new_serial().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100).decode() != new_serial()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("text", ["a", "abc-123", "A.b_c:d-1", "9" * 64])
def test_keeps_sane_request_ids(text):
    assert is_sane_request_id(text)


@pytest.mark.parametrize("text", ["", "-a", "a b", "a\n", "<script>", "x" * 65, "é", "a'"])
def test_replaces_other_request_ids(text):
    assert not is_sane_request_id(text)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_keeps_its_time_in_utc(zone):
    with pytest.raises(DiamondError, match="UTC"):
        an_exchange(occurred_at=datetime(2026, 1, 1, tzinfo=zone))
