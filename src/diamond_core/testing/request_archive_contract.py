"""What any ``RequestArchive`` must do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.ports import RequestArchive, RequestLog
from diamond_core.testing.samples import NOON, an_exchange
from diamond_core.traffic import traffic_of

_PATHS = (
    "/v1/predictions",
    "/v1/similar",
    "/v1/models",
    "/v1/models/champion",
    "/v1/models/a-1",
    "/v1/models/b-2",
    "/v1/models/b-2/promote",
    "/v1/models/b/2/promote",
    "/v1/models/",
    "/V1/models/a-1",
    "/v1/predictions ",
    "/v1/requests/💎",
    "/v1/.env",
)


class RequestArchiveContract:
    """Inherit, and supply an empty ``log`` and the ``archive`` of what is appended to it."""

    @pytest.fixture
    def log(self) -> RequestLog:
        raise NotImplementedError("supply a log")

    @pytest.fixture
    def archive(self) -> RequestArchive:
        raise NotImplementedError("supply the archive under test")

    def test_is_empty_at_first(self, archive: RequestArchive) -> None:
        assert archive.count(ExchangeFilter()) == 0
        assert list(archive.traffic(ExchangeFilter())) == []
        assert archive.prune(NOON, most=10) == 0

    def test_counts_what_is_wanted(self, log: RequestLog, archive: RequestArchive) -> None:
        log.append_all(_week())
        assert archive.count(ExchangeFilter()) == 300
        assert archive.count(ExchangeFilter(status="4xx", path="/v1/models")) == sum(
            each.status == 404 and each.path.startswith("/v1/models") for each in _week()
        )

    def test_sums_up_traffic_by_day_and_route(
        self, log: RequestLog, archive: RequestArchive
    ) -> None:
        log.append_all(_week())
        assert list(archive.traffic(ExchangeFilter())) == traffic_of(_week())

    def test_sums_up_only_what_is_wanted(self, log: RequestLog, archive: RequestArchive) -> None:
        log.append_all(_week())
        wanted = ExchangeFilter(since=NOON + timedelta(days=2), status="200")
        expected = traffic_of(each for each in _week() if wanted.matches(each))
        assert list(archive.traffic(wanted)) == expected

    def test_prunes_the_oldest_in_batches(self, log: RequestLog, archive: RequestArchive) -> None:
        log.append_all(_week())
        before = NOON + timedelta(days=3)
        old = sorted(each.occurred_at for each in _week() if each.occurred_at < before)
        assert archive.prune(before, most=40) == 40
        left = log.find(ExchangeFilter(until=before), limit=1000)
        assert sorted(each.occurred_at for each in left) == old[40:]
        pruned = 40
        while batch := archive.prune(before, most=40):
            pruned += batch
        assert pruned == len(old)
        assert archive.count(ExchangeFilter(until=before)) == 0
        assert archive.count(ExchangeFilter()) == 300 - len(old)

    def test_prunes_large_bodies_and_leaves_others_whole(
        self, log: RequestLog, archive: RequestArchive
    ) -> None:
        body = b'"' * 8_000_000
        old, new = (
            an_exchange(occurred_at=NOON + timedelta(days=day), response_body=body)
            for day in range(2)
        )
        log.append_all([old, new])
        assert archive.prune(NOON + timedelta(days=1), most=10) == 1
        assert list(log.latest(10)) == [new]
        log.append(old)
        assert sorted(log.latest(10), key=lambda each: each.serial) == [old, new]


def _week() -> list[Exchange]:
    """Return 300 exchanges of one week."""
    return [
        an_exchange(
            serial=f"{number:08}",
            occurred_at=NOON + timedelta(hours=number * 37 % 168, microseconds=number),
            path=_PATHS[number * number % len(_PATHS)],
            status=(200, 200, 201, 404, 500, 503)[number % 6],
            duration_ms=(number * 7919 % 1000) / 8,
        )
        for number in range(300)
    ]
