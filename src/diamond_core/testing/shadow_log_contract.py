"""The contract of ``ShadowLog``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from diamond_core.errors import Unavailable
from diamond_core.monitoring.shadow import ShadowPrice
from diamond_core.ports import ShadowLog
from diamond_core.requests.exchange import first_id
from diamond_core.testing.samples import NOON
from diamond_core.testing.shared_store import SharedStore, another_process


def a_shadow_price(hours: int = 0, **values: Any) -> ShadowPrice:
    """Return the price of a stone priced *hours* after noon, with the given *values*."""
    at = NOON + timedelta(hours=hours)
    given: dict[str, Any] = {
        "id": f"{first_id(at)}{hours:016x}",
        "priced_at": at,
        "model_id": "linear-20261123-142233-9f3a1c",
        "price": 4608.99,
        "shadow_model_id": "xgboost-20261123-142233-0a1b2c",
        "shadow_price": 4512.01,
    }
    return ShadowPrice(**(given | values))


class ShadowLogContract(SharedStore):
    """Inherit, and supply an empty ``log`` and the fixtures of ``SharedStore``."""

    @pytest.fixture
    def log(self) -> ShadowLog:
        """Return an empty log."""
        raise NotImplementedError("supply the log under test")

    def test_is_empty_at_first(self, log: ShadowLog) -> None:
        assert list(log.read()) == []
        assert list(log.of([a_shadow_price().id])) == []
        assert log.prune(NOON + timedelta(days=1)) == 0

    def test_gives_back_prices(self, log: ShadowLog, reopen: Callable[[], ShadowLog]) -> None:
        prices = [a_shadow_price(hours) for hours in range(3)]
        log.add(prices[::-1])
        assert list(reopen().read()) == prices

    def test_keeps_the_first_price_of_a_shadow(self, log: ShadowLog) -> None:
        first, other = a_shadow_price(), a_shadow_price(shadow_model_id="other")
        log.add([first])
        log.add([replace(first, shadow_price=1.0), other, a_shadow_price(1)])
        assert list(log.read()) == [other, first, a_shadow_price(1)]

    def test_finds_the_prices_of_predictions(self, log: ShadowLog) -> None:
        batch = [a_shadow_price(id=f"{a_shadow_price().id}-{place}") for place in range(1200)]
        log.add([*batch, a_shadow_price(2)])
        ids = [batch[1].id, batch[7].id, "unknown"]
        assert list(log.of(ids)) == [batch[1], batch[7]]
        assert len(log.of([each.id for each in batch])) == 1200

    def test_reads_many(self, log: ShadowLog) -> None:
        shadows = ("a", "b")
        many = [
            a_shadow_price(hours, shadow_model_id=name) for hours in range(6000) for name in shadows
        ]
        log.add(many)
        assert list(log.read()) == many

    def test_prunes(self, log: ShadowLog, reopen: Callable[[], ShadowLog]) -> None:
        prices = [a_shadow_price(hours) for hours in range(1500)]
        log.add([*prices, a_shadow_price(shadow_model_id="other")])
        assert log.prune(prices[1400].priced_at) == 1401
        assert list(reopen().read()) == prices[1400:]

    def test_keeps_what_a_killed_process_added(
        self, log: ShadowLog, reopen: Callable[[], ShadowLog], elsewhere: str | None
    ) -> None:
        code = """
from diamond_core.testing import a_shadow_price
log.add([a_shadow_price()])
print(flush=True)
input()
"""
        with another_process(elsewhere, code) as other:
            assert other.stdout is not None
            assert other.stdout.readline()
            other.kill()
        assert list(log.read()) == list(reopen().read()) == [a_shadow_price()]

    def test_says_when_it_fails(self, log: ShadowLog, break_down: Callable[[], None]) -> None:
        log.add([a_shadow_price()])
        break_down()
        with pytest.raises(Unavailable):
            log.add([a_shadow_price(1)])
        with pytest.raises(Unavailable):
            list(log.read())
        with pytest.raises(Unavailable):
            log.of(["x"])
        with pytest.raises(Unavailable):
            log.prune(NOON)
