"""What a training does about the champion, and about models that it knows or that are broken."""

from datetime import timedelta
from itertools import count

import pytest
from fakes import DamagingRepository

from diamond_adapters.in_memory import InMemorySource
from diamond_core import (
    FamilyFailed,
    SourceUnreadable,
    TrainingOrder,
    TrainModels,
)
from diamond_core.testing import a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(1500)
MORE = some_stones(2000, seed=1)


class Formula:
    """A family whose model multiplies the true formula."""

    def __init__(self, name, factor):
        self.name, self.factor, self.fits = name, factor, 0

    def fit(self, table, *, seed, trials, progress):
        self.fits += 1
        progress("thinking", 0.5)
        return a_fitted_model(table, factor=self.factor)


class Broken(Formula):
    def fit(self, table, *, seed, trials, progress):
        raise FamilyFailed(self.name, "a test broke it")


@pytest.fixture
def repository():
    return DamagingRepository()


@pytest.fixture
def pipeline(repository):
    minutes = count()

    def build(*families):
        return TrainModels(
            {family.name: family for family in families},
            repository,
            lambda: NOON + timedelta(minutes=next(minutes)),
        )

    return build


def run(train, stones=STONES, **order):
    return train([InMemorySource(stones)], TrainingOrder(**order))


def test_measures_the_coverage_by_quintile(pipeline):
    (card,) = run(pipeline(Formula("good", 1.0))).cards
    for quintiles in (card.coverage_by_quintile, card.coverage_by_predicted_quintile):
        assert len(quintiles) == 5
        assert sum(quintiles) / 5 == pytest.approx(card.coverage, abs=0.01)


def test_says_by_how_much_it_beats_the_champion(pipeline):
    first = run(pipeline(Formula("high", 1.3)))
    done = run(pipeline(Formula("good", 1.0)))
    (card,) = done.cards
    assert first.cards[0].comparison is None
    assert card.comparison.champion == first.champion
    assert card.comparison.low < card.comparison.difference < card.comparison.high < 0
    assert card.comparison.champion_mae == pytest.approx(first.cards[0].metrics.mae)
    assert done.champion == card.id


def test_keeps_the_champion_against_a_challenger_no_better_than_noise(pipeline):
    first = run(pipeline(Formula("good", 1.0)))
    done = run(pipeline(Formula("same", 1.0), Formula("worse", 1.2)))
    assert done.champion == first.champion


def test_scores_champion_and_challenger_on_the_stones_of_today(pipeline):
    first = run(pipeline(Formula("high", 1.3)))
    (card,) = run(pipeline(Formula("good", 1.0)), MORE).cards
    assert card.comparison.champion_mae != pytest.approx(first.cards[0].metrics.mae)


def test_lets_a_known_model_challenge_the_champion_of_today(pipeline, repository):
    best, good, poor = Formula("best", 1.0), Formula("good", 1.1), Formula("poor", 1.5)
    champion = run(pipeline(best)).champion
    known = run(pipeline(good)).cards[0]
    assert known.comparison.champion == champion
    repository.damaged = {champion}
    poor_one = run(pipeline(poor)).champion
    assert repository.champion() == poor_one
    done = run(pipeline(good))
    assert (done.trained, done.champion) == (frozenset(), known.id)
    assert repository.card(known.id).comparison.champion == champion
    assert done.cards[0].comparison.champion == poor_one


def test_trains_a_damaged_model_anew(pipeline, repository):
    family = Formula("good", 1.0)
    train = pipeline(family)
    broken = run(train).champion
    repository.damaged = {broken}
    done = run(train)
    assert family.fits == 2
    assert done.champion not in (None, broken)
    assert done.cards[0].comparison is None


def test_keeps_what_was_trained_before_a_family_failed(pipeline, repository):
    with pytest.raises(FamilyFailed):
        run(pipeline(Formula("good", 1.0), Broken("broken", 1.0)))
    assert [card.family for card in repository.cards()] == ["good"]


def test_trains_nothing_where_the_stones_cannot_be_read(pipeline, repository):
    class Unreadable(InMemorySource):
        def read(self):
            raise SourceUnreadable("nowhere", "a test broke it")

    with pytest.raises(SourceUnreadable):
        pipeline(Formula("good", 1.0))([Unreadable(STONES)], TrainingOrder())
    assert not repository.cards()


def test_keeps_a_report_with_the_model(repository):
    told = []

    def write(training):
        told.append(training)
        return b"a page"

    train = TrainModels({"good": Formula("good", 1.0)}, repository, lambda: NOON, write)
    (card,) = run(train).cards
    assert "report.html" in card.files
    (training,) = told
    assert (training.card.id, training.champion) == (card.id, None)
    assert len(training.holdout) == card.data.holdout_rows


def test_keeps_the_model_where_the_report_fails(repository, caplog):
    def write(training):
        raise ZeroDivisionError

    train = TrainModels({"good": Formula("good", 1.0)}, repository, lambda: NOON, write)
    (card,) = run(train).cards
    assert repository.champion() == card.id
    assert "report.html" not in card.files
    assert "could not be written" in caplog.text
