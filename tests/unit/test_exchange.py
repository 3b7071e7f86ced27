import random
import time
from datetime import datetime, timedelta, timezone

import pytest

from diamond_core import DiamondError, new_exchange_id
from diamond_core.requests.exchange import is_sane_request_id
from diamond_core.testing import an_exchange


def test_makes_ids_that_differ_and_sort_by_time():
    ids = [new_exchange_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [each[:16] for each in ids] == sorted(each[:16] for each in ids)
    assert all(len(each) == 32 for each in ids)


def test_makes_other_ids_whatever_seed_others_set(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    ids = set()
    for _ in range(3):
        random.seed(0)
        ids.add(new_exchange_id())
    assert len(ids) == 3


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
