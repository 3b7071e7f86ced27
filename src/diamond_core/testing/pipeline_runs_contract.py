"""The contract of ``PipelineRuns``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from diamond_core.errors import Unavailable
from diamond_core.models.pipeline_run import TRAINED, PipelineRun, new_run_id
from diamond_core.ports import PipelineRuns

_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def a_run(hours: int = 0) -> PipelineRun:
    """Return a run that began *hours* after the first one."""
    at = _AT + timedelta(hours=hours)
    return PipelineRun(
        id=new_run_id(at),
        started_at=at,
        by="crön",
        settings={"families": ["linear"], "half_life": 30.0, "window": None},
        version=3,
        deliveries=({"id": "a", "status": "held", "levels": {"price": {"level": 1.5}}},),
        problems=("it's broken",),
        seconds={"data": 1.25},
    )


class PipelineRunsContract:
    """Inherit, and supply empty ``runs``, a way to ``break_down`` them, and ``reopened`` ones."""

    @pytest.fixture
    def runs(self) -> PipelineRuns:
        """Return an empty history."""
        raise NotImplementedError("supply the history under test")

    @pytest.fixture
    def reopened(self, runs: PipelineRuns) -> PipelineRuns:
        """Return the same history, as another process opens it."""
        return runs

    @pytest.fixture
    def break_down(self, runs: PipelineRuns) -> Callable[[], None]:
        """Return a function that makes the storage of ``runs`` fail."""
        raise NotImplementedError("supply a failure")

    def test_is_empty_at_first(self, runs: PipelineRuns) -> None:
        assert list(runs.runs()) == []

    def test_gives_back_a_run(self, runs: PipelineRuns, reopened: PipelineRuns) -> None:
        run = a_run()
        runs.save(run)
        assert list(reopened.runs()) == [run]

    def test_replaces_a_run(self, runs: PipelineRuns, reopened: PipelineRuns) -> None:
        run = a_run()
        runs.save(run)
        ended = replace(run, outcome=TRAINED, finished_at=_AT + timedelta(minutes=5))
        reopened.save(ended)
        assert list(runs.runs()) == [ended]

    def test_gives_the_newest_first(self, runs: PipelineRuns) -> None:
        first, second, third = (a_run(hours) for hours in range(3))
        for run in (second, third, first):
            runs.save(run)
        assert list(runs.runs()) == [third, second, first]
        assert list(runs.runs(2)) == [third, second]

    def test_says_that_it_is_unavailable(
        self, runs: PipelineRuns, break_down: Callable[[], None]
    ) -> None:
        break_down()
        with pytest.raises(Unavailable):
            runs.save(a_run())
