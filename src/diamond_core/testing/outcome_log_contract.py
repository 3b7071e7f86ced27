"""The contract of ``OutcomeLog``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from diamond_core.errors import Conflict, Unavailable
from diamond_core.monitoring.outcome import Outcome
from diamond_core.ports import OutcomeLog
from diamond_core.requests.exchange import first_id
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.fields import Clarity, Color, Cut
from diamond_core.testing.samples import NOON
from diamond_core.testing.shared_store import SharedStore, another_process


def an_outcome(hours: int = 0, **values: Any) -> Outcome:
    """Return the first outcome of a prediction of *hours* after noon, with the given *values*."""
    at = NOON + timedelta(hours=hours)
    given: dict[str, Any] = {
        "id": f"{first_id(at)}{hours:016x}",
        "number": 1,
        "price_paid": 4500.5,
        "paid_on": date(2026, 11, 24),
        "note": "bought from Zoë 💎, 'as is'",
        "reported_at": at + timedelta(minutes=1, microseconds=1),
        "key_name": "shop",
        "diamond": Diamond(
            carat=1.1, cut=Cut.IDEAL, color=Color.H, clarity=Clarity.SI2, depth=61.5
        ),
        "model_id": "linear-20261123-142233-9f3a1c",
        "predicted": 4608.99,
        "low": 3851.43,
        "high": 5515.55,
    }
    return Outcome(**(given | values))


class OutcomeLogContract(SharedStore):
    """Inherit, and supply an empty ``log`` and the fixtures of ``SharedStore``."""

    @pytest.fixture
    def log(self) -> OutcomeLog:
        """Return an empty log."""
        raise NotImplementedError("supply the log under test")

    def test_is_empty_at_first(self, log: OutcomeLog) -> None:
        assert list(log.read()) == []
        assert list(log.of([an_outcome().id])) == []
        assert list(log.newest(5)) == []

    def test_gives_back_an_outcome(self, log: OutcomeLog, reopen: Callable[[], OutcomeLog]) -> None:
        full, bare = an_outcome(), an_outcome(1, note="", key_name="")
        log.add([full, bare])
        assert list(reopen().read()) == [full, bare]
        assert list(log.of([full.id])) == [full]

    def test_keeps_a_correction_beside_what_it_corrects(self, log: OutcomeLog) -> None:
        first = an_outcome()
        second = replace(first, number=2, price_paid=4000.0)
        other = an_outcome(1)
        log.add([first])
        log.add([other])
        log.add([second])
        assert list(log.of([other.id, first.id])) == [first, second, other]
        assert list(log.read()) == [first, second, other]

    def test_refuses_a_number_that_is_taken_and_adds_none_of_the_others(
        self, log: OutcomeLog
    ) -> None:
        first, other = an_outcome(), an_outcome(1)
        log.add([first])
        with pytest.raises(Conflict):
            log.add([other, replace(first, price_paid=1.0)])
        assert list(log.read()) == [first]

    def test_reads_all_in_the_order_of_ids_and_numbers(self, log: OutcomeLog) -> None:
        outcomes = [an_outcome(hours % 40, number=hours // 40 + 1) for hours in range(1200)]
        for start in range(0, 1200, 100):
            log.add(outcomes[start : start + 100])
        expected = sorted(outcomes, key=lambda each: (each.id, each.number))
        assert list(log.read()) == expected
        assert list(log.of([each.id for each in outcomes[:40]])) == expected

    def test_reads_those_of_predictions_since_a_time(self, log: OutcomeLog) -> None:
        outcomes = [an_outcome(hours) for hours in range(5)]
        log.add(outcomes)
        assert list(log.read(NOON + timedelta(hours=3))) == outcomes[3:]

    def test_gives_those_first_that_were_reported_last(self, log: OutcomeLog) -> None:
        early, late = an_outcome(5, reported_at=NOON), an_outcome(1)
        log.add([late, early])
        assert list(log.newest(5)) == [late, early]
        assert list(log.newest(1)) == [late]

    def test_adds_nothing_without_an_error(self, log: OutcomeLog) -> None:
        log.add([])
        assert list(log.read()) == []

    def test_is_shared_by_processes(self, log: OutcomeLog, elsewhere: str | None) -> None:
        outcome = an_outcome()
        log.add([outcome])
        code = f"assert [each.note for each in log.of([{outcome.id!r}])] == [{outcome.note!r}]"
        with another_process(elsewhere, code) as other:
            assert other.wait() == 0

    def test_says_when_its_store_fails(
        self, log: OutcomeLog, break_down: Callable[[], None]
    ) -> None:
        break_down()
        with pytest.raises(Unavailable):
            log.add([an_outcome()])
        with pytest.raises(Unavailable):
            list(log.read())
        with pytest.raises(Unavailable):
            log.of([an_outcome().id])
        with pytest.raises(Unavailable):
            log.newest(1)
