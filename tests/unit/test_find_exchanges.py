"""Exchanges by their id or by the X-Request-ID of their callers, and what can't be asked for."""

from datetime import datetime, timedelta, timezone

import pytest

from diamond_adapters.in_memory import InMemoryRequestLog
from diamond_core import (
    ExchangeFilter,
    ExchangeNotFound,
    InvalidFilter,
    Unavailable,
    find_exchanges,
)
from diamond_core.testing import an_exchange
from diamond_core.testing.samples import NOON


@pytest.fixture
def log():
    return InMemoryRequestLog()


def test_finds_one_exchange_by_its_own_id(log):
    first, second = an_exchange(request_id="same"), an_exchange(request_id="same")
    log.append_all([first, second])
    assert list(find_exchanges(log, first.id)) == [first]


def test_lists_an_exchange_once_whose_caller_sent_no_id(log):
    exchange = an_exchange()
    log.append(exchange := an_exchange(id=exchange.id, request_id=exchange.id))
    assert list(find_exchanges(log, exchange.id)) == [exchange]


def test_finds_all_exchanges_of_a_request_id_newest_first(log):
    exchanges = [an_exchange(request_id="same") for _ in range(3)]
    log.append_all([*exchanges, an_exchange(request_id="other")])
    assert list(find_exchanges(log, "same")) == exchanges[::-1]
    assert list(find_exchanges(log, "same", limit=2)) == exchanges[:0:-1]


def test_hides_no_exchange_behind_a_caller_who_sends_its_id(log):
    exchange = an_exchange()
    forged = [an_exchange(request_id=exchange.id) for _ in range(3)]
    log.append_all([exchange, *forged])
    found = find_exchanges(log, exchange.id, limit=2)
    assert found[0] == exchange
    assert [each.id for each in found[1:]] == [forged[2].id, forged[1].id]


def test_finds_the_exchange_of_a_batch_by_the_id_of_one_of_its_stones(log):
    exchange = an_exchange()
    log.append(exchange)
    for stone in ("0", "9999"):
        assert list(find_exchanges(log, f"{exchange.id}-{stone}")) == [exchange]


def test_finds_a_request_id_that_looks_like_the_id_of_a_stone(log):
    exchange = an_exchange(request_id="0" * 32 + "-7")
    log.append(exchange)
    assert list(find_exchanges(log, exchange.request_id)) == [exchange]


@pytest.mark.parametrize("id", ["", "nothing", "0" * 32, "0" * 32 + "-1", "' OR ''='"])
def test_does_not_find_what_is_not_there(log, id):
    log.append(an_exchange())
    with pytest.raises(ExchangeNotFound) as caught:
        find_exchanges(log, id)
    assert caught.value.id == id


def test_says_when_the_log_cannot_be_read(log):
    log.failure = Unavailable("the database failed")
    with pytest.raises(Unavailable):
        find_exchanges(log, "nothing")


@pytest.mark.parametrize(
    "asked",
    [
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"until": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
        {"status": "4x"},
        {"status": "600"},
        {"status": "4xx "},
        {"slower_than_ms": -1.0},
        {"slower_than_ms": float("nan")},
    ],
    ids=str,
)
def test_refuses_a_filter_that_makes_no_sense(asked):
    with pytest.raises(InvalidFilter) as caught:
        ExchangeFilter(**asked)
    assert [caught.value.name] == list(asked)


def test_knows_the_statuses_that_are_asked_for():
    assert 200 in ExchangeFilter().statuses
    assert list(ExchangeFilter(status="404").statuses) == [404]
    of_class = ExchangeFilter(status="4xx").statuses
    assert (of_class[0], of_class[-1]) == (400, 499)


def test_matches_what_a_filter_asks_for_at_once():
    exchange = an_exchange(occurred_at=NOON, status=404, path="/v1/models", duration_ms=2.0)
    asked = {"since": NOON, "status": "4xx", "path": "/v1/", "slower_than_ms": 1.0}
    assert ExchangeFilter(**asked).matches(exchange)
    for change in (
        {"since": NOON + timedelta(microseconds=1)},
        {"until": NOON},
        {"status": "5xx"},
        {"path": "/v2/"},
        {"slower_than_ms": 2.0},
        {"model_id": "other"},
        {"request_id": "other"},
        {"id": "other"},
    ):
        assert not ExchangeFilter(**(asked | change)).matches(exchange)
