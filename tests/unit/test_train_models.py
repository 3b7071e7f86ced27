"""The training pipeline: scores on the hold-out, the history, the champion, what is broken."""

import threading
from dataclasses import replace
from datetime import timedelta
from itertools import count

import numpy as np
import pytest
from histories import damage

from diamond_adapters.in_memory import (
    InMemoryExclusiveWork,
    InMemoryStoneSource,
)
from diamond_core import (
    ONNX_FILE,
    ChooseChampion,
    DiamondTable,
    Evaluation,
    FamilyFailed,
    SourceUnreadable,
    TooFewStones,
    TrainingConfig,
    TrainModels,
    Unavailable,
    UnknownFamily,
    in_holdout,
    metrics_of,
)
from diamond_core.testing import FormulaModel, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE

STONES = some_stones(1500)
MORE = some_stones(2000, seed=1)


class Formula:
    """A family that learns nothing: its prices are those of the formula times a factor."""

    def __init__(self, name, factor):
        self.name, self.factor, self.tables, self.options = name, factor, [], []

    def fit(self, table, *, progress, **options):
        self.tables.append(table)
        self.options.append(options)
        progress("computing", 0.5)
        return a_fitted_model(table, factor=self.factor)


class Broken(Formula):
    def fit(self, table, **options):
        raise FamilyFailed(self.name, "a test broke it")


@pytest.fixture
def exclusive():
    return InMemoryExclusiveWork()


@pytest.fixture
def clock():
    minutes = count()
    return lambda: NOON + timedelta(minutes=next(minutes))


@pytest.fixture
def pipeline(history, exclusive, clock):
    def pipeline(*families, **options):
        by_name = {family.name: family for family in families}
        return TrainModels(by_name, history, exclusive, clock, **options)

    return pipeline


def run(train, stones=STONES, **config):
    return train([InMemoryStoneSource(stones)], TrainingConfig(**config))


# What is trained, and how it is scored


def test_scores_families_on_stones_that_they_have_not_seen(pipeline, history):
    families = [Formula("good", 1.0), Formula("bad", 1.5)]
    done = run(pipeline(*families))
    for family in families:
        (table,) = family.tables
        assert not in_holdout(table).any()
    assert [card.family for card in done.cards] == ["good", "bad"]
    assert done.champion == done.cards[0].id
    assert done.trained == {card.id for card in done.cards}
    good = done.cards[0]
    assert good.data.training_rows + good.data.holdout_rows == good.data.rows == 1500
    assert good.data.holdout_rows == in_holdout(STONES).sum()
    assert good.metrics.mae < done.cards[1].metrics.mae
    holdout = STONES[in_holdout(STONES)]
    assert good.metrics == metrics_of(holdout.price, FormulaModel().price(holdout))
    assert 0.0 < good.microseconds_per_stone < 1e6
    assert history.cards() == sorted(done.cards, key=lambda card: card.created_at, reverse=True)


def test_keeps_the_training_stones_as_samples(pipeline, history):
    (card,) = run(pipeline(Formula("good", 1.0))).cards
    assert history.samples(card).digest() == STONES[~in_holdout(STONES)].digest()


def test_measures_the_coverage_by_quintile(pipeline):
    (card,) = run(pipeline(Formula("good", 1.0))).cards
    for quintiles in (card.coverage_by_quintile, card.coverage_by_predicted_quintile):
        assert len(quintiles) == 5
        assert sum(quintiles) / 5 == pytest.approx(card.coverage, abs=0.01)


def test_keeps_what_the_model_takes_and_where_it_was_trained(pipeline):
    (card,) = run(pipeline(Formula("good", 1.0)), seed=3, trials=5).cards
    assert card.features == ("carat", "cut", "color", "clarity")
    assert card.price_ranges.measurements == ()
    training = STONES[~in_holdout(STONES)]
    assert card.training_range["carat"] == (training.carat.min(), training.carat.max())
    assert (card.seed, card.trials, card.family) == (3, 5, "good")
    assert card.data.digest == STONES.digest()


def test_passes_the_configuration_to_the_family(pipeline):
    family = Formula("good", 1.0)
    run(pipeline(family), seed=3, trials=5, study="sqlite:///study.db")
    assert family.options == [
        {"seed": 3, "trials": 5, "study": "sqlite:///study.db", "weights": None}
    ]


def test_reports_rejected_rows_and_uses_all_sources(pipeline):
    rows = STONES[:10].rows_of_today()
    rows["price"][3] = -1
    sources = [InMemoryStoneSource(STONES), InMemoryStoneSource(DiamondTable(rows), "broken")]
    done = pipeline(Formula("good", 1.0))(sources, TrainingConfig())
    assert [(row.source, row.line) for row in done.rejected] == [("broken", 4)]
    data = done.cards[0].data
    assert (data.rows, data.rejected, data.source) == (1510, 1, "memory, broken")


def test_reports_its_progress(pipeline):
    steps = []
    pipeline(Formula("good", 1.0))(
        [InMemoryStoneSource(STONES)],
        TrainingConfig(),
        progress=lambda *step: steps.append(step),
    )
    assert ("good: computing", 0.5) in steps


def test_refuses_an_unknown_family_before_it_reads(pipeline):
    with pytest.raises(UnknownFamily, match="installed are: good"):
        pipeline(Formula("good", 1.0))([None], TrainingConfig(families=["best"]))


def test_refuses_too_few_stones(pipeline, history):
    with pytest.raises(TooFewStones, match="50 distinct usable stones"):
        run(pipeline(Formula("good", 1.0)), STONES[:50])
    assert history.cards() == []


def test_refuses_many_copies_of_a_few_stones(pipeline, history):
    few = some_stones(3).rows_of_today()
    with pytest.raises(TooFewStones, match="3 distinct usable stones"):
        run(pipeline(Formula("a", 1.0)), DiamondTable(np.tile(few, 100)))
    assert history.cards() == []


def test_refuses_a_holdout_that_decides_nothing(pipeline, history):
    table = some_stones(1500)
    held_out = in_holdout(table)
    nine = np.flatnonzero(held_out)[:9]
    rows = np.concatenate([table.rows[~held_out], np.repeat(table.rows[nine], 20)])
    with pytest.raises(TooFewStones, match="9 distinct held-out stones"):
        run(pipeline(Formula("a", 1.0)), DiamondTable(rows))
    assert history.cards() == []


def test_trains_nothing_where_the_stones_cannot_be_read(pipeline, history):
    class Unreadable(InMemoryStoneSource):
        def read(self):
            raise SourceUnreadable("nowhere", "a test broke it")

    with pytest.raises(SourceUnreadable):
        pipeline(Formula("good", 1.0))([Unreadable(STONES)], TrainingConfig())
    assert history.cards() == []


def test_keeps_what_was_trained_before_a_family_failed(pipeline, history):
    with pytest.raises(FamilyFailed):
        run(pipeline(Formula("good", 1.0), Broken("broken", 1.0)))
    assert [card.family for card in history.cards()] == ["good"]


class Raising(Formula):
    def fit(self, table, **options):
        raise ZeroDivisionError("no such stone")


def test_names_the_family_whose_library_raises(pipeline):
    with pytest.raises(FamilyFailed, match="'bad' failed: ZeroDivisionError: no such stone"):
        run(pipeline(Raising("bad", 1.0)))


class Telling(Formula):
    def fit(self, table, **options):
        return a_fitted_model(table, details={"model": object()})


def test_writes_no_report_of_a_model_that_cannot_be_kept(pipeline, history):
    reports = []

    def write(report):
        reports.append(report)
        return b"a page"

    with pytest.raises(FamilyFailed, match="not JSON"):
        run(pipeline(Telling("odd", 1.0), write_report=write))
    assert (reports, history.cards()) == ([], [])


def test_keeps_others_from_training_meanwhile(pipeline, exclusive):
    order = []

    class Crowded(Formula):
        def fit(self, table, **options):
            waits = threading.Event()

            def train_too():
                with exclusive.hold("training", lambda _: waits.set()):
                    order.append("the other one begins")

            self.other = threading.Thread(target=train_too, daemon=True)
            self.other.start()
            assert waits.wait(30)
            order.append("one is trained")
            return super().fit(table, **options)

    family = Crowded("good", 1.0)
    run(pipeline(family))
    family.other.join(30)
    assert order == ["one is trained", "the other one begins"]


def test_trains_nothing_where_it_cannot_keep_others_from_it(pipeline, exclusive, history):
    exclusive.failure = Unavailable("a test broke it")
    with pytest.raises(Unavailable):
        run(pipeline(Formula("bad", 1.5)))
    assert history.cards() == []


# The champion


def test_replaces_the_champion_only_by_a_better_model(pipeline):
    train = pipeline(Formula("good", 1.0), Formula("bad", 1.5))
    bad = run(train, families=["bad"])
    good = run(train, families=["good"])
    assert good.champion == good.cards[0].id
    assert good.cards[0].comparison.champion == bad.cards[0].id
    again = run(train, families=["good"], force=True)
    assert again.cards[0].id != good.cards[0].id
    assert again.champion == good.cards[0].id


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


def test_promotes_a_model_that_a_crash_left_in_the_history(pipeline, repository):
    train = pipeline(Formula("good", 1.0))
    published = run(train).cards[0]
    repository._promotions.clear()
    assert run(train).champion == published.id


def test_says_who_asked_for_the_training(pipeline, history):
    run(pipeline(Formula("good", 1.0)), by="the night shift")
    assert history.promotions()[0].by == "the night shift"


def test_leaves_a_model_that_somebody_promotes_while_it_trains(pipeline, history, clock):
    first = run(pipeline(Formula("high", 1.3))).champion
    other = run(pipeline(Formula("higher", 1.4))).cards[0].id

    class Overtaken(Formula):
        def fit(self, table, **options):
            ChooseChampion(history, clock).promote(other, reason="by hand", by="somebody")
            return super().fit(table, **options)

    assert first != other
    done = run(pipeline(Overtaken("good", 1.0)))
    assert done.champion == history.champion() == other
    assert done.cards[0].id in done.trained


def test_says_that_somebody_was_quicker_to_promote(history, exclusive, clock):
    trained = TrainModels({"high": Formula("high", 1.3)}, history, exclusive, clock)
    first = run(trained).champion
    other = run(trained, force=True).cards[0].id
    calls = count()

    def somebody_promotes_when_the_time_is_asked_for_the_promotion():
        if next(calls) == 1:  # the first time is that of the card
            ChooseChampion(history, clock).promote(other, reason="by hand", by="somebody")
        return clock()

    slow = somebody_promotes_when_the_time_is_asked_for_the_promotion
    done = run(TrainModels({"good": Formula("good", 1.0)}, history, exclusive, slow))
    assert first != other
    assert done.champion == history.champion() == other
    assert f"the champion is now {other}" in done.conflict
    assert [card.family for card in done.cards] == ["good"]
    assert done.cards[0].id in done.trained


# Models that are known or broken


def test_does_not_repeat_a_training_unless_forced_to(pipeline):
    family = Formula("good", 1.0)
    train = pipeline(family)
    first = run(train)
    shuffled = STONES[np.random.default_rng(0).permutation(len(STONES))]
    second = run(train, shuffled)
    assert second.cards == first.cards
    assert second.trained == frozenset()
    assert second.conflict == ""
    assert len(family.tables) == 1
    for config in ({"force": True}, {"seed": 1}, {"trials": 3}):
        assert run(train, **config).trained
    assert run(train, STONES[:-1]).trained


def test_lets_a_known_model_challenge_the_champion_of_today(pipeline, history, repository):
    best, good, poor = Formula("best", 1.0), Formula("good", 1.1), Formula("poor", 1.5)
    champion = run(pipeline(best)).champion
    known = run(pipeline(good)).cards[0]
    assert known.comparison.champion == champion
    repository.damage(champion, ONNX_FILE)
    poor_one = run(pipeline(poor)).champion
    assert history.champion() == poor_one
    done = run(pipeline(good))
    assert (done.trained, done.champion) == (frozenset(), known.id)
    assert history.card(known.id).comparison.champion == champion
    assert done.cards[0].comparison.champion == poor_one


@pytest.mark.parametrize("file", [ONNX_FILE, "samples", CARD_FILE])
def test_trains_a_damaged_model_anew(pipeline, repository, file):
    family = Formula("good", 1.0)
    train = pipeline(family)
    broken = run(train).champion
    damage(repository, broken, file)
    done = run(train)
    assert len(family.tables) == 2
    assert done.champion not in (None, broken)
    assert done.cards[0].comparison is None


@pytest.mark.parametrize("file", [ONNX_FILE, CARD_FILE])
def test_compares_with_the_model_that_serves_in_place_of_a_damaged_champion(
    pipeline, repository, file
):
    high = run(pipeline(Formula("high", 1.3))).champion
    good = run(pipeline(Formula("good", 1.1))).champion
    repository.damage(good, file)
    done = run(pipeline(Formula("better", 1.2)))
    assert done.cards[0].comparison.champion == high
    assert done.champion == done.cards[0].id


def test_trains_nothing_where_the_history_cannot_be_reached(pipeline, repository):
    family = Formula("good", 1.0)
    run(pipeline(family))
    repository.failure = Unavailable("the disk failed")
    with pytest.raises(Unavailable):
        run(pipeline(family))
    assert len(family.tables) == 1


# The report


def test_keeps_a_report_with_the_model(pipeline, history):
    reports = []

    def write(report):
        reports.append(report)
        return b"a page"

    train = pipeline(Formula("high", 1.3), write_report=write)
    (card,) = run(train).cards
    assert "report.html" in card.files
    assert history.report(card.id) == b"a page"
    (report,) = reports
    assert (report.card.id, report.champion) == (card.id, None)
    assert len(report.evaluation.stones) == card.data.holdout_rows
    assert report.evaluation.metrics() == card.metrics
    np.testing.assert_array_equal(report.stones.rows, STONES[~in_holdout(STONES)].rows)


def test_gives_the_report_the_champion_on_the_same_stones(pipeline, history):
    reports = []

    def write(report):
        reports.append(report)
        return b"a page"

    first = run(pipeline(Formula("high", 1.3))).cards[0]
    run(pipeline(Formula("good", 1.0), write_report=write), MORE)
    (report,) = reports
    holdout = MORE[in_holdout(MORE)]
    prices = FormulaModel(1.3).price(holdout)
    gaps = history.load(first.id).support.gaps(holdout)
    expected = Evaluation.of(holdout, prices, first.price_ranges, gaps)
    np.testing.assert_array_equal(report.champion.predicted, expected.predicted)
    np.testing.assert_array_equal(report.champion.high, expected.high)
    np.testing.assert_array_equal(report.champion.stones.rows, report.evaluation.stones.rows)
    assert report.champion.metrics().mae == pytest.approx(report.card.comparison.champion_mae)


def test_keeps_the_model_where_the_report_fails(pipeline, history, caplog):
    def write(report):
        raise ZeroDivisionError

    (card,) = run(pipeline(Formula("good", 1.0), write_report=write)).cards
    assert history.champion() == card.id
    assert "report.html" not in card.files
    assert "could not be written" in caplog.text


def test_other_days_of_the_same_stones_are_other_data(history, exclusive):
    train = TrainModels({"a": Formula("a", 1.0)}, history, exclusive, lambda: NOON)
    days = np.datetime64(NOON.date()) - np.arange(len(STONES)) % 28
    for dates, new in ((days, 1), (days, 0), (days[::-1], 1)):
        run = train([Dated(STONES, dates)], TrainingConfig())
        assert run.cards[0].data.price_levels
        assert len(run.trained) == new


class Dated(InMemoryStoneSource):
    def __init__(self, table, dates):
        super().__init__(table)
        self.dates = dates.tolist()

    def read(self):
        (batch,) = super().read()
        yield replace(batch, columns={**batch.columns, "date": self.dates})
