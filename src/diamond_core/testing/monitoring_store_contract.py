"""The contract of ``MonitoringStore``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import numpy as np
import pytest

from diamond_core.errors import Unavailable
from diamond_core.models.model_card import ModelId
from diamond_core.models.profile import Profile
from diamond_core.monitoring.counted_stones import CountedStones
from diamond_core.monitoring.monitoring import Monitoring, RequestDay
from diamond_core.monitoring.priced_stones import PricedStones
from diamond_core.ports import MonitoringStore
from diamond_core.testing.samples import NOON, some_stones

_PROFILE: Final = Profile.of(some_stones(20))


def counted_stones(hours: int = 0) -> CountedStones:
    """Return the stones of a request, *hours* later than another one."""
    stones = some_stones(20)
    texts = np.full(20, "", dtype=object)
    at = NOON + timedelta(hours=hours)
    times = np.full(20, at.replace(tzinfo=None), dtype="M8[us]")
    counted = CountedStones()
    counted.read(at, 1, [PricedStones(stones, texts, times, texts, texts, *(3 * [stones.price]))])
    return counted


def a_monitoring(hours: int = 0) -> Monitoring:
    """Return what is computed *hours* later than another one."""
    at = NOON + timedelta(hours=hours)
    day = RequestDay(day=at.replace(hour=0), requests=30, client_errors=2, server_errors=1)
    return Monitoring(
        at=at,
        since=NOON,
        model_id=ModelId("formula-1"),
        profile=_PROFILE,
        hours=counted_stones(hours).hours(_PROFILE, {}),
        days=(day,),
    )


class MonitoringStoreContract:
    """Inherit, and supply an empty ``store``, a way to ``break_down`` it, and a ``reopened`` one."""

    @pytest.fixture
    def store(self) -> MonitoringStore:
        """Return an empty store."""
        raise NotImplementedError("supply the store under test")

    @pytest.fixture
    def reopened(self, store: MonitoringStore) -> MonitoringStore:
        """Return the same store, as another process opens it."""
        return store

    @pytest.fixture
    def break_down(self, store: MonitoringStore) -> Callable[[], None]:
        """Return a function that makes ``store`` fail."""
        raise NotImplementedError("supply a failure")

    def test_is_empty_at_first(self, store: MonitoringStore) -> None:
        assert store.load() is None

    def test_gives_back_what_was_saved(
        self, store: MonitoringStore, reopened: MonitoringStore
    ) -> None:
        store.save(a_monitoring())
        assert reopened.load() == a_monitoring()

    def test_keeps_the_last(self, store: MonitoringStore, reopened: MonitoringStore) -> None:
        store.save(a_monitoring())
        assert store.load() == reopened.load() == a_monitoring()
        reopened.save(a_monitoring(hours=1))
        assert store.load() == reopened.load() == a_monitoring(hours=1)

    def test_gives_back_the_counted_stones(
        self, store: MonitoringStore, reopened: MonitoringStore
    ) -> None:
        assert store.load_counted() is None
        for hours in (0, 1):
            counted = counted_stones(hours)
            store.save_counted(counted)
            found = reopened.load_counted()
            assert found is not None
            assert found.hours(_PROFILE, {}) == counted.hours(_PROFILE, {})
            assert found.requests(NOON + timedelta(hours=hours)) == 1
        assert store.load() is None

    def test_says_that_it_can_not_be_stored(
        self, store: MonitoringStore, break_down: Callable[[], None]
    ) -> None:
        break_down()
        with pytest.raises(Unavailable):
            store.save(a_monitoring())
        with pytest.raises(Unavailable):
            store.save_counted(counted_stones())

    def test_says_that_it_can_not_be_read(
        self, store: MonitoringStore, break_down: Callable[[], None]
    ) -> None:
        break_down()
        with pytest.raises(Unavailable):
            store.load()
        with pytest.raises(Unavailable):
            store.load_counted()
