"""The pipeline: what a run does, what it leaves alone, and how it goes on after a kill."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

import numpy as np
import pytest
from histories import damage

from diamond_adapters.in_memory import (
    InMemoryExclusiveWork,
    InMemoryPipelineRuns,
    InMemoryStoneSource,
    InMemoryStoneStore,
)
from diamond_core import (
    ONNX_FILE,
    AddStones,
    DiamondTable,
    FamilyFailed,
    PipelineRun,
    RunPipeline,
    SourceUnreadable,
    TrainingConfig,
    TrainModels,
)
from diamond_core.testing import FormulaModel, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(1500)
MORE = some_stones(300, seed=1)


class Formula:
    def __init__(self, name="formula"):
        self.name = name
        self.factor, self.error, self.weights = 1.0, None, []

    def fit(self, table, *, weights, **options):
        self.weights.append(weights)
        if self.error is not None:
            raise self.error
        return a_fitted_model(table, factor=self.factor)


class Missing:
    name = "gone.csv"

    def read(self):
        raise SourceUnreadable(self.name, "file not found")


@pytest.fixture
def family():
    return Formula()


@pytest.fixture
def store():
    return InMemoryStoneStore()


@pytest.fixture
def runs():
    return InMemoryPipelineRuns()


@pytest.fixture
def told():
    return []


@pytest.fixture
def families(family):
    return {family.name: family}


@pytest.fixture
def pipeline(history, families, store, runs, told):
    seconds, exclusive = count(), InMemoryExclusiveWork()

    def clock():
        return NOON + timedelta(seconds=next(seconds))

    add = AddStones(store, history, exclusive, clock)
    train = TrainModels(families, history, exclusive, clock)
    run = RunPipeline(store, history, add, train, runs, exclusive, clock, told.append)

    def pipeline(*sources, **config):
        return run(list(sources), TrainingConfig(by="cron", **config))

    return pipeline


def source(table, name="file.csv"):
    return InMemoryStoneSource(table, name)


def test_adds_trains_and_promotes(pipeline, store, history, runs, told):
    run = pipeline(source(STONES))
    assert run.outcome == "trained"
    assert run.version == store.version().number
    assert run.models == (run.champion,) == (history.champion(),)
    assert run.promoted
    assert history.card(run.champion).data.version == run.version
    assert runs.runs() == [run]
    assert (run.by, run.settings["seed"]) == ("cron", 0)
    assert set(run.seconds) == {"data", "training"}
    (event,) = told
    assert (event["event"], event["champion"], event["run"]) == (
        "new champion",
        run.champion,
        run.id,
    )


def test_does_nothing_where_nothing_is_new(pipeline, family, told):
    pipeline(source(STONES))
    for sources in ([], [source(STONES)], [source(STONES[:100], "a part of it.csv")]):
        run = pipeline(*sources)
        assert (run.outcome, run.models, run.promoted) == ("nothing new", (), False)
    assert len(family.weights) == len(told) == 1


@pytest.mark.parametrize("changes", [{"seed": 1}, {"trials": 3}, {"force": True}], ids=str)
def test_trains_again_where_something_changes(pipeline, changes):
    pipeline(source(STONES))
    assert pipeline(**changes).outcome == "trained"


def test_a_champion_that_cannot_be_served_is_trained_again(pipeline, repository):
    first = pipeline(source(STONES))
    damage(repository, first.champion, ONNX_FILE)
    second = pipeline()
    assert (second.outcome, second.promoted) == ("trained", True)


def test_another_store_is_another_version_1(pipeline, store):
    pipeline(source(STONES))
    store.__init__()
    run = pipeline(source(MORE, "more.csv"))
    assert (run.version, run.outcome) == (1, "trained")


def test_a_family_that_was_installed_since_is_trained(pipeline, families):
    pipeline(source(STONES))
    families["more"] = Formula("more")
    assert [id.split("-")[0] for id in pipeline().models] == ["more"]


def test_new_stones_train_a_new_model(pipeline, history):
    first = pipeline(source(STONES))
    second = pipeline(source(MORE, "more.csv"))
    assert second.outcome == "trained"
    assert len(history.cards()) == 2
    assert second.champion == first.champion
    assert not second.promoted
    assert second.version > first.version


def odd(table, factor):
    rows = table.rows.copy()
    rows["price"] *= factor
    return source(type(table)(rows), "odd.csv")


def test_what_is_held_does_not_train(pipeline, store, told):
    pipeline(source(STONES))
    run = pipeline(odd(MORE, 8.0), source(MORE[:150], "good.csv"))
    assert run.outcome == "held"
    assert [each["source"] for each in run.held] == ["odd.csv"]
    assert len(run.models) == 1
    assert store.version().stones == 1650
    assert [each["event"] for each in told] == ["new champion", "held"]
    assert told[1]["delivery"] == run.held[0]["id"]
    assert pipeline().outcome == "nothing new"


def test_a_first_delivery_that_is_held_is_no_failure(pipeline):
    rows = InMemoryStoneSource(STONES)
    bad = Missing()
    bad.name = "bad.csv"
    bad.read = lambda: (
        type(batch)(batch.source, {**batch.columns, "price": ["?"] * 1500}, batch.lines)
        for batch in rows.read()
    )
    run = pipeline(bad)
    assert (run.outcome, run.version, run.problems) == ("held", None, ())


def test_an_unreadable_source_is_a_problem_and_the_rest_is_done(pipeline, told):
    run = pipeline(Missing(), source(STONES))
    assert run.outcome == "failed"
    assert run.problems == ("cannot read gone.csv: file not found",)
    assert run.promoted
    assert [each["event"] for each in told] == ["new champion", "failed"]
    assert "gone.csv" in told[1]["text"]


def test_an_empty_store_is_a_problem(pipeline):
    run = pipeline()
    assert run.outcome == "failed"
    assert "diamond data add SOURCE" in run.problems[0]


def test_a_failed_training_is_tried_again(pipeline, family):
    family.error = FamilyFailed("formula", "a test broke it")
    run = pipeline(source(STONES))
    assert (run.outcome, run.complete) == ("failed", False)
    assert "a test broke it" in run.problems[0]
    family.error = None
    assert pipeline().outcome == "trained"


def test_a_killed_run_is_told_and_finished_by_the_next(pipeline, family, runs):
    family.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        pipeline(source(STONES))
    assert [run.outcome for run in runs.runs()] == ["running"]
    family.error = None
    assert pipeline().outcome == "trained"
    assert [run.outcome for run in runs.runs()] == ["trained", "interrupted"]


def test_a_bug_is_recorded_and_raised(pipeline, store, runs):
    store.stones = None
    with pytest.raises(TypeError):
        pipeline(source(STONES), source(MORE))
    (run,) = runs.runs()
    assert run.outcome == "failed"
    assert "TypeError" in run.problems[0]


def test_old_prices_weigh_less(pipeline, family, history):
    pipeline(source(STONES), half_life=30.0, window=7.0)
    assert family.weights == [None]  # all are of one day
    data = history.cards()[0].data
    assert (data.half_life, data.window) == (30.0, 7.0)
    assert data.scored_since == data.scored_until == str(NOON.date())


class Learning(Formula):
    """A family that learns the level of prices only."""

    def fit(self, table, **options):
        self.factor = float(np.median(table.price / FormulaModel().price(table)))
        return super().fit(table, **options)


class Dated(InMemoryStoneSource):
    def __init__(self, stones, name, day):
        super().__init__(stones, name)
        self.day = day

    def read(self):
        for batch in super().read():
            yield replace(batch, columns={**batch.columns, "date": [self.day] * len(batch.lines)})


@pytest.mark.parametrize("window", [None, 56.0])
def test_a_champion_of_old_prices_is_replaced_when_prices_have_moved(
    pipeline, families, history, window
):
    families["formula"] = Learning()
    pipeline(Dated(STONES, "old.csv", "2008-07-01"))
    rows = some_stones(400, seed=5).rows.copy()
    rows["price"] *= 1.4
    run = pipeline(Dated(DiamondTable(rows), "new.csv", "2026-01-01"), window=window)
    assert run.promoted, run
    data = history.card(run.champion).data
    assert data.scored_since == data.scored_until == "2026-01-01"
    assert history.load(run.champion).model._factor == pytest.approx(1.4, rel=0.03)


def test_a_delivery_that_stays_held_is_told_once(pipeline, told):
    pipeline(source(STONES))
    pipeline(odd(MORE, 8.0))
    assert pipeline(odd(MORE, 8.0)).outcome == "held"
    assert [each["event"] for each in told] == ["new champion", "held"]


def test_a_run_that_breaks_keeps_what_it_had_added(pipeline, family, runs):
    family.error = MemoryError()
    run = pipeline(source(STONES))  # a family's error is a failure of the family
    assert run.outcome == "failed"
    assert [each["status"] for each in runs.runs()[0].deliveries] == ["added"]


def test_a_run_reads_back_from_json(pipeline):
    run = pipeline(source(STONES), odd(MORE, 8.0))
    read = PipelineRun.from_json(run.to_json())
    assert read.to_json() == run.to_json()
    assert (read.outcome, read.held[0]["levels"]["price"]["level"]) == (
        run.outcome,
        run.held[0]["levels"]["price"]["level"],
    )
