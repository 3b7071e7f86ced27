"""What any ``RequestLog`` must do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from diamond_core.exchange import new_serial
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

    def test_is_shared_by_threads(self, log: RequestLog) -> None:
        exchanges = [an_exchange(id=f"r{number}") for number in range(64)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(log.append, exchanges))
        assert sorted(each.serial for each in log.latest(1000)) == sorted(
            each.serial for each in exchanges
        )
