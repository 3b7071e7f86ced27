"""The contract of ``RequestLog``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from diamond_core.errors import Unavailable
from diamond_core.ports import RequestLog
from diamond_core.requests.exchange import Exchange, Truncation, first_id, new_exchange_id
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.testing.samples import NOON, an_exchange
from diamond_core.testing.shared_store import SharedStore, another_process

_IN_ANOTHER_PROCESS = """
from diamond_core.testing import an_exchange
log.start()
print("ready", flush=True)
for number in range(20):
    log.append(an_exchange(id=f"other-{number:02}"))
log.append(an_exchange(id="both"))
log.close()
"""


def _id(number: int) -> str:
    """Return the id of an exchange of *number* hours after noon."""
    return f"{first_id(NOON + timedelta(hours=number))}{number:016}"


def _name(value: object) -> str:
    """Return the same name of a case in every process: the order of a set's elements differs."""
    if isinstance(value, dict):
        value = {k: sorted(v) if isinstance(v, frozenset) else v for k, v in value.items()}
    return str(value)


class RequestLogContract(SharedStore):
    """Inherit, and supply an empty ``log`` and the fixtures of ``SharedStore``."""

    @pytest.fixture
    def log(self) -> RequestLog:
        raise NotImplementedError("supply the log under test")

    def test_is_empty_at_first(self, log: RequestLog) -> None:
        assert list(newest(log)) == []

    def test_gives_back_an_exchange_unchanged(self, log: RequestLog) -> None:
        exchange = an_exchange()
        log.append(exchange)
        assert list(newest(log)) == [exchange]

    @pytest.mark.parametrize(
        "changes",
        [
            {"request_body": b"", "response_body": b""},
            {"request_body": bytes(range(256)) * 10},
            {
                "request_body": "💎\x00\ud7ff".encode(),
                "path": "/v1/💎",
                "query": "q=💎'; drop table",
            },
            {"response_body": b"x" * 5_000_000},
            {"headers": {"User-Agent": "'\"\\ 💎\x00"}},
            {"request_body": b"\xff\xfe", "response_body": b"\xed\xa0\x80"},
            {"request_body": b"\x00", "response_body": b" \r\n\\' "},
            {"request_body": b"/w==", "response_body": b"base64:/w=="},
            {"path": "/v1/a b\x00\n", "query": "%FF&\xff", "client": "::1"},
            {"path": "/v1/predictions ", "model_id": "", "key_name": "admin "},
            {"request_id": "z" * 64, "key_name": "", "model_id": "", "client": ""},
            {"status": 503, "duration_ms": 0.001, "method": "DELETE"},
            {"path": "/v1/" + "x" * 8000, "query": "y" * 8000},
            {"occurred_at": NOON.replace(microsecond=0)},
            {"occurred_at": NOON.replace(microsecond=1)},
            {
                "request_truncation": Truncation(16_000_000, "ab" * 32),
                "response_truncation": Truncation(10**12, ""),
            },
        ],
        ids=" ".join,
    )
    def test_gives_back_unusual_values_unchanged(
        self, log: RequestLog, changes: dict[str, Any]
    ) -> None:
        exchange = an_exchange(**changes)
        log.append(exchange)
        assert list(newest(log, 1)) == [exchange]

    def test_gives_the_newest_first_and_no_more_than_asked_for(self, log: RequestLog) -> None:
        exchanges = [
            an_exchange(id=new_exchange_id(), occurred_at=NOON + timedelta(number))
            for number in range(5)
        ]
        for exchange in exchanges:
            log.append(exchange)
        assert list(newest(log, 3)) == exchanges[:1:-1]

    def test_keeps_an_exchange_once(self, log: RequestLog) -> None:
        exchange = an_exchange()
        log.append(exchange)
        log.append(exchange)
        assert list(newest(log)) == [exchange]

    def test_keeps_exchanges_that_share_a_request_id(self, log: RequestLog) -> None:
        first, second = an_exchange(request_id="same"), an_exchange(request_id="same")
        log.append(first)
        log.append(second)
        assert list(newest(log)) == [second, first]

    def test_keeps_many_at_once(self, log: RequestLog) -> None:
        exchanges = [an_exchange(request_id=f"r{number}") for number in range(500)]
        log.append_all(exchanges)
        assert list(newest(log, 1000)) == exchanges[::-1]

    def test_keeps_nothing_of_nothing(self, log: RequestLog) -> None:
        log.append_all([])
        assert list(newest(log, 1)) == []

    def test_keeps_only_what_is_new_of_many(self, log: RequestLog) -> None:
        first, second, third = an_exchange(), an_exchange(), an_exchange()
        log.append(second)
        changed = dataclasses.replace(second, response_body=b"another")
        log.append_all([first, changed, third, third])
        log.append_all([third, first])
        assert list(newest(log)) == [third, second, first]

    def test_keeps_large_bodies_among_many(self, log: RequestLog) -> None:
        large = b'{"\\":"\x00"}' * 150_000
        exchanges = [an_exchange(request_body=large, response_body=large * 5) for _ in range(3)]
        log.append_all(exchanges)
        assert list(newest(log)) == exchanges[::-1]

    @pytest.mark.parametrize(
        ("asked", "numbers"),
        [
            ({}, [7, 6, 5, 4, 3, 2, 1, 0]),
            ({"since": NOON + timedelta(hours=6)}, [7, 6]),
            ({"until": NOON + timedelta(hours=1)}, [0]),
            ({"since": NOON, "until": NOON + timedelta(microseconds=1)}, [0]),
            ({"since": NOON + timedelta(microseconds=1), "until": NOON}, []),
            ({"status": "404"}, [1]),
            ({"status": "4xx"}, [3, 1]),
            ({"status": "2xx", "slower_than_ms": 2.5}, [4]),
            ({"slower_than_ms": 7.0}, []),
            ({"path": "/v1/a"}, [2, 1, 0]),
            ({"path": "/v1/a%"}, [2]),
            ({"path": "/V1/A"}, [4]),
            ({"path": "/v1/a_"}, []),
            ({"path": "/v1/\U0001f48e"}, [3]),
            ({"path": "/v1/ "}, [6]),
            ({"path": "/v1/models/", "model_id": "m"}, [7]),
            ({"model_id": "M"}, []),
            ({"key_name": "shop"}, [7, 5]),
            ({"key_name": "Shop"}, [2]),
            ({"request_id": "R4"}, [4]),
            ({"request_id": "r4"}, []),
            ({"request_id": _id(5)}, []),
            ({"id": _id(5)}, [5]),
            ({"id": "R4"}, []),
            ({"id": _id(5), "request_id": "R4"}, []),
            ({"id": "' OR ''='"}, []),
            ({"ids": frozenset({_id(5), _id(2), "R4"})}, [5, 2]),
            ({"ids": frozenset({_id(5), _id(2)}), "key_name": "shop"}, [5]),
            ({"id": f"{_id(5)} "}, []),
            ({"ids": frozenset({f"{_id(5)} "})}, []),
            ({"key_name": "shop "}, []),
            ({"model_id": "m "}, []),
            ({"request_id": "R4 "}, []),
        ],
        ids=_name,
    )
    def test_finds_what_is_asked_for_and_nothing_else(
        self, log: RequestLog, asked: dict[str, Any], numbers: list[int]
    ) -> None:
        exchanges = _eight_exchanges()
        log.append_all(exchanges)
        found = log.find(ExchangeFilter(**asked), limit=100)
        assert list(found) == [exchanges[number] for number in numbers]

    def test_turns_pages_without_a_gap_while_exchanges_come_in(self, log: RequestLog) -> None:
        exchanges = _eight_exchanges()
        log.append_all(exchanges)
        filter = ExchangeFilter(status="2xx")
        found = list(log.find(filter, limit=2))
        while page := log.find(filter, limit=2, before=found[-1].id):
            found += page
            log.append(an_exchange())
        assert [exchange.id for exchange in found] == [_id(each) for each in (7, 4, 2, 0)]

    def test_leaves_bodies_out_where_they_are_not_asked_for(self, log: RequestLog) -> None:
        exchange = an_exchange(request_body=b"asked", response_body=b"\xff")
        log.append(exchange)
        assert list(log.find(ExchangeFilter(), limit=1, bodies=False)) == [
            dataclasses.replace(exchange, request_body=b"", response_body=b"")
        ]

    def test_is_shared_by_threads(self, log: RequestLog) -> None:
        exchanges = [an_exchange(request_id=f"r{number}") for number in range(64)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(log.append, exchanges))
        assert sorted(each.id for each in newest(log, 1000)) == sorted(
            each.id for each in exchanges
        )

    def test_is_shared_by_processes(self, log: RequestLog, elsewhere: str | None) -> None:
        log.start()
        with another_process(elsewhere, _IN_ANOTHER_PROCESS) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            for number in range(20):
                log.append(an_exchange(id=f"this-{number:02}"))
            log.append(an_exchange(id="both"))
        assert other.returncode == 0
        expected = [f"{who}-{number:02}" for who in ("other", "this") for number in range(20)]
        assert sorted(each.id for each in newest(log, 1000)) == ["both", *expected]

    def test_keeps_what_it_was_given_after_a_restart(
        self, log: RequestLog, reopen: Callable[[], RequestLog]
    ) -> None:
        exchange = an_exchange()
        log.append(exchange)
        log.close()
        assert newest(reopen()) == [exchange]

    def test_works_without_being_started(
        self, log: RequestLog, reopen: Callable[[], RequestLog]
    ) -> None:
        exchange = an_exchange()
        other = reopen()
        other.append(exchange)
        other.close()
        log.start()
        log.start()
        assert newest(log) == [exchange]

    def test_counts_what_is_asked_for(self, log: RequestLog) -> None:
        assert log.count(ExchangeFilter()) == 0
        log.append_all(_week())
        assert log.count(ExchangeFilter()) == 300
        assert log.count(ExchangeFilter(status="4xx", path="/v1/models")) == sum(
            each.status == 404 and each.path.startswith("/v1/models") for each in _week()
        )

    def test_prunes_the_oldest_in_batches(self, log: RequestLog) -> None:
        assert log.prune(NOON, limit=10) == 0
        log.append_all(_week())
        before = NOON + timedelta(days=3)
        old = sorted(each.occurred_at for each in _week() if each.occurred_at < before)
        assert log.prune(before, limit=40) == 40
        left = log.find(ExchangeFilter(until=before), limit=1000)
        assert sorted(each.occurred_at for each in left) == old[40:]
        pruned = 40
        while batch := log.prune(before, limit=40):
            pruned += batch
        assert pruned == len(old)
        assert log.count(ExchangeFilter(until=before)) == 0
        assert log.count(ExchangeFilter()) == 300 - len(old)

    def test_prunes_large_bodies_and_leaves_others_whole(self, log: RequestLog) -> None:
        body = b'"' * 8_000_000
        old, new = (
            an_exchange(occurred_at=NOON + timedelta(days=day), response_body=body)
            for day in range(2)
        )
        log.append_all([old, new])
        assert log.prune(NOON + timedelta(days=1), limit=10) == 1
        assert newest(log) == [new]

    def test_knows_how_it_is_doing(self, log: RequestLog) -> None:
        health = log.health()
        assert health.problem == ""
        assert (health.pending, health.lost, health.dead_letters) == (0, 0, 0)

    def test_says_when_its_store_fails(
        self, log: RequestLog, break_down: Callable[[], None]
    ) -> None:
        log.append(an_exchange())
        newest(log)
        break_down()
        with pytest.raises(Unavailable):
            log.find(ExchangeFilter(), limit=1)
        with pytest.raises(Unavailable):
            log.count(ExchangeFilter())
        with pytest.raises(Unavailable):
            log.prune(NOON + timedelta(days=1), limit=1)
        with suppress(Unavailable):  # unless it has stored it elsewhere
            log.append(an_exchange())
        with suppress(Unavailable):
            log.append_all([an_exchange(), an_exchange()])
        log.health()


def newest(log: RequestLog, limit: int = 10) -> Sequence[Exchange]:
    """Return the newest exchanges, newest first."""
    return list(log.find(ExchangeFilter(), limit=limit))


def _week() -> list[Exchange]:
    """Return 300 exchanges of one week."""
    paths = ("/v1/predictions", "/v1/similar", "/v1/models", "/v1/models/a-1", "/v1/requests/💎")
    return [
        an_exchange(
            id=f"{number:08}",
            occurred_at=NOON + timedelta(hours=number * 37 % 168, microseconds=number),
            path=paths[number * number % len(paths)],
            status=(200, 200, 201, 404, 500, 503)[number % 6],
            duration_ms=(number * 7919 % 1000) / 8,
        )
        for number in range(300)
    ]


def _eight_exchanges() -> list[Exchange]:
    paths = (*("/v1/a", "/v1/ab", "/v1/a%", "/v1/💎", "/V1/A", "/v1/b", "/v1/ ", "/v1/models/m"),)
    statuses = (200, 404, 200, 422, 201, 500, 303, 200)
    return [
        an_exchange(
            id=_id(number),
            request_id=f"R{number}",
            occurred_at=NOON + timedelta(hours=number),
            path=paths[number],
            status=statuses[number],
            duration_ms=7.0 if number == 4 else number / 3,
            model_id="m" if number == 7 else "",
            key_name={7: "shop", 5: "shop", 2: "Shop"}.get(number, ""),
        )
        for number in range(8)
    ]
