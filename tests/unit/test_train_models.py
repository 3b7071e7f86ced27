from datetime import timedelta

import numpy as np
import pytest

from diamond_adapters.in_memory import InMemoryModelRepository, InMemorySource
from diamond_core import TooFewStones, TrainingOrder, TrainModels, UnknownFamily, in_holdout
from diamond_core.testing import a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(1000)


class FormulaFamily:
    """Learns nothing: its prices are those of the formula times a factor."""

    def __init__(self, name, factor):
        self.name = name
        self.factor = factor
        self.tables = []

    def fit(self, table, *, seed, trials, progress):
        self.tables.append(table)
        progress("computing", 0.5)
        return a_fitted_model(table, factor=self.factor)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def repository():
    return InMemoryModelRepository()


def trainer(repository, **factors):
    families = {name: FormulaFamily(name, factor) for name, factor in factors.items()}
    return TrainModels(families, repository, Clock()), families


def test_scores_families_on_stones_that_they_have_not_seen(repository):
    train, families = trainer(repository, good=1.0, bad=1.5)
    run = train([InMemorySource(STONES)], TrainingOrder())
    for family in families.values():
        (table,) = family.tables
        assert not in_holdout(table).any()
    assert [card.family for card in run.cards] == ["good", "bad"]
    assert run.champion == run.cards[0].id
    good = run.cards[0]
    assert good.data.training_rows + good.data.holdout_rows == good.data.rows == 1000
    assert good.data.holdout_rows == in_holdout(STONES).sum()
    assert good.metrics.mae < run.cards[1].metrics.mae
    assert repository.cards() == sorted(run.cards, key=lambda card: card.created_at, reverse=True)


def test_keeps_the_training_stones_as_samples(repository):
    train, _ = trainer(repository, good=1.0)
    card = train([InMemorySource(STONES)], TrainingOrder()).cards[0]
    assert repository.samples(card.id).digest() == STONES[~in_holdout(STONES)].digest()


def test_replaces_the_champion_only_by_a_better_model(repository):
    train, _ = trainer(repository, good=1.0, bad=1.5)
    bad = train([InMemorySource(STONES)], TrainingOrder(families=["bad"]))
    good = train([InMemorySource(STONES)], TrainingOrder(families=["good"]))
    assert good.champion == good.cards[0].id
    assert good.cards[0].comparison.champion == bad.cards[0].id
    again = train([InMemorySource(STONES)], TrainingOrder(families=["good"], force=True))
    assert again.cards[0].id != good.cards[0].id
    assert again.champion == good.cards[0].id


def test_does_not_repeat_a_training_unless_told_to(repository):
    train, families = trainer(repository, good=1.0)
    first = train([InMemorySource(STONES)], TrainingOrder())
    shuffled = STONES[np.random.default_rng(0).permutation(len(STONES))]
    second = train([InMemorySource(shuffled)], TrainingOrder())
    assert second.cards == first.cards
    assert second.trained == frozenset()
    assert len(families["good"].tables) == 1
    for order in (TrainingOrder(force=True), TrainingOrder(seed=1), TrainingOrder(trials=3)):
        assert train([InMemorySource(STONES)], order).trained
    assert train([InMemorySource(STONES[:-1])], TrainingOrder()).trained


def test_promotes_a_model_that_a_crash_left_in_the_history(repository):
    train, _ = trainer(repository, good=1.0)
    published = train([InMemorySource(STONES)], TrainingOrder()).cards[0]
    repository._promotions.clear()
    assert train([InMemorySource(STONES)], TrainingOrder()).champion == published.id


def test_reports_rejected_rows_and_uses_all_sources(repository):
    rows = STONES[:10].rows.copy()
    rows["price"][3] = -1
    broken = InMemorySource(type(STONES)(rows), "broken")
    train, _ = trainer(repository, good=1.0)
    run = train([InMemorySource(STONES), broken], TrainingOrder())
    assert [(row.source, row.line) for row in run.rejected] == [("broken", 4)]
    data = run.cards[0].data
    assert (data.rows, data.rejected, data.source) == (1010, 1, "memory, broken")


def test_tells_its_progress(repository):
    train, _ = trainer(repository, good=1.0)
    told = []
    train([InMemorySource(STONES)], TrainingOrder(), progress=lambda *step: told.append(step))
    assert ("good: computing", 0.5) in told


def test_refuses_an_unknown_family_before_it_reads(repository):
    train, _ = trainer(repository, good=1.0)
    with pytest.raises(UnknownFamily, match="installed are: good"):
        train([None], TrainingOrder(families=["best"]))


def test_refuses_too_few_stones(repository):
    train, _ = trainer(repository, good=1.0)
    with pytest.raises(TooFewStones, match="50 usable stones"):
        train([InMemorySource(STONES[:50])], TrainingOrder())
    assert repository.cards() == []
