"""What any ``RequestLog`` must do."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from diamond_core.exchange import Exchange, ExchangeFilter, new_serial
from diamond_core.ports import RequestLog
from diamond_core.testing.samples import NOON, an_exchange


class RequestLogContract:
    """Inherit, and supply an empty ``log``."""

    @pytest.fixture
    def log(self) -> RequestLog:
        raise NotImplementedError("supply the log under test")

    def test_is_empty_at_first(self, log: RequestLog) -> None:
        assert list(log.latest(10)) == []

    def test_gives_back_an_exchange_unchanged(self, log: RequestLog) -> None:
        exchange = an_exchange()
        log.append(exchange)
        assert list(log.latest(10)) == [exchange]

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
            {"id": "z" * 64, "key_name": "", "model_id": "", "client": ""},
            {"status": 503, "duration_ms": 0.001, "method": "DELETE"},
            {"path": "/v1/" + "x" * 8000, "query": "y" * 8000},
            {"occurred_at": NOON.replace(microsecond=0)},
            {"occurred_at": NOON.replace(microsecond=1)},
        ],
        ids=" ".join,
    )
    def test_gives_back_unusual_values_unchanged(
        self, log: RequestLog, changes: dict[str, Any]
    ) -> None:
        exchange = an_exchange(**changes)
        log.append(exchange)
        assert list(log.latest(1)) == [exchange]

    def test_gives_the_newest_first_and_no_more_than_asked_for(self, log: RequestLog) -> None:
        exchanges = [
            an_exchange(id=f"r{number}", serial=new_serial(), occurred_at=NOON + timedelta(number))
            for number in range(5)
        ]
        for exchange in exchanges:
            log.append(exchange)
        assert list(log.latest(3)) == exchanges[:1:-1]

    def test_keeps_an_exchange_once(self, log: RequestLog) -> None:
        exchange = an_exchange()
        log.append(exchange)
        log.append(exchange)
        assert list(log.latest(10)) == [exchange]

    def test_keeps_exchanges_that_share_an_id(self, log: RequestLog) -> None:
        first, second = an_exchange(id="same"), an_exchange(id="same")
        log.append(first)
        log.append(second)
        assert list(log.latest(10)) == [second, first]

    def test_keeps_many_at_once(self, log: RequestLog) -> None:
        exchanges = [an_exchange(id=f"r{number}") for number in range(500)]
        log.append_all(exchanges)
        assert list(log.latest(1000)) == exchanges[::-1]

    def test_keeps_nothing_of_nothing(self, log: RequestLog) -> None:
        log.append_all([])
        assert list(log.latest(1)) == []

    def test_keeps_only_what_is_new_of_many(self, log: RequestLog) -> None:
        first, second, third = an_exchange(), an_exchange(), an_exchange()
        log.append(second)
        changed = dataclasses.replace(second, response_body=b"another")
        log.append_all([first, changed, third, third])
        log.append_all([third, first])
        assert list(log.latest(10)) == [third, second, first]

    def test_keeps_large_bodies_among_many(self, log: RequestLog) -> None:
        large = b'{"\\":"\x00"}' * 150_000
        exchanges = [an_exchange(request_body=large, response_body=large * 5) for _ in range(3)]
        log.append_all(exchanges)
        assert list(log.latest(10)) == exchanges[::-1]

    @pytest.mark.parametrize(
        ("wanted", "numbers"),
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
            ({"id": "R4"}, [4]),
            ({"id": "r4"}, []),
            ({"id": "0005"}, [5]),
            ({"id": "' OR ''='"}, []),
        ],
        ids=str,
    )
    def test_finds_what_is_wanted_and_nothing_else(
        self, log: RequestLog, wanted: dict[str, Any], numbers: list[int]
    ) -> None:
        exchanges = _eight_exchanges()
        log.append_all(exchanges)
        found = log.find(ExchangeFilter(**wanted), limit=100)
        assert list(found) == [exchanges[number] for number in numbers]

    def test_turns_pages_without_a_gap_while_exchanges_come_in(self, log: RequestLog) -> None:
        exchanges = _eight_exchanges()
        log.append_all(exchanges)
        wanted = ExchangeFilter(status="2xx")
        found = list(log.find(wanted, limit=2))
        while page := log.find(wanted, limit=2, before=found[-1].serial):
            found += page
            log.append(an_exchange(serial=new_serial()))
        assert [exchange.serial for exchange in found] == ["0007", "0004", "0002", "0000"]

    def test_leaves_bodies_out_where_they_are_not_wanted(self, log: RequestLog) -> None:
        exchange = an_exchange(request_body=b"asked", response_body=b"\xff")
        log.append(exchange)
        assert list(log.find(ExchangeFilter(), limit=1, bodies=False)) == [
            dataclasses.replace(exchange, request_body=b"", response_body=b"")
        ]

    def test_is_shared_by_threads(self, log: RequestLog) -> None:
        exchanges = [an_exchange(id=f"r{number}") for number in range(64)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(log.append, exchanges))
        assert sorted(each.serial for each in log.latest(1000)) == sorted(
            each.serial for each in exchanges
        )


def _eight_exchanges() -> list[Exchange]:
    paths = (*("/v1/a", "/v1/ab", "/v1/a%", "/v1/💎", "/V1/A", "/v1/b", "/v1/ ", "/v1/models/m"),)
    statuses = (200, 404, 200, 422, 201, 500, 303, 200)
    return [
        an_exchange(
            id=f"R{number}",
            serial=f"{number:04}",
            occurred_at=NOON + timedelta(hours=number),
            path=paths[number],
            status=statuses[number],
            duration_ms=7.0 if number == 4 else number / 3,
            model_id="m" if number == 7 else "",
        )
        for number in range(8)
    ]
