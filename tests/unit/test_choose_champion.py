from datetime import timedelta
from itertools import count

import pytest
from fakes import DamagingRepository

from diamond_core import (
    ChooseChampion,
    Comparison,
    Conflict,
    ModelDamaged,
    ModelNotFound,
    NothingToRollBack,
)
from diamond_core.model_card import ModelId
from diamond_core.similarity import sorted_samples
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(50)


@pytest.fixture
def repository():
    return DamagingRepository()


@pytest.fixture
def choose(repository):
    minutes = count()
    return ChooseChampion(repository, lambda: NOON + timedelta(minutes=next(minutes)))


@pytest.fixture
def publish(repository):
    """Publish a model of a name and an error, and what its card says about a champion."""

    def publish(name, mae=300.0, champion=None, high=0.0):
        card = a_card(name)
        metrics = type(card.metrics)(mae=mae, rmse=1, mape=0.1, r2=0.9, worst_decile=1)
        comparison = champion and Comparison(
            champion=champion, champion_mae=310.0, difference=high - 1, low=high - 2, high=high
        )
        card = a_card(name, metrics=metrics, comparison=comparison)
        return repository.publish(card, a_fitted_model(STONES), sorted_samples(STONES))

    return publish


def test_promotes_the_best_where_there_is_no_champion(choose, publish, repository):
    cards = [publish("a", 300.0), publish("b", 200.0), publish("c", 250.0)]
    assert choose.by_merit(cards, against=None, by="me") == "b"
    (promotion,) = repository.promotions()
    assert (promotion.model_id, promotion.by, promotion.previous) == ("b", "me", None)
    assert promotion.reason == "hold-out MAE 200.00 USD"


def test_asks_a_challenger_for_more_than_noise(choose, publish, repository):
    publish("a", 310.0)
    choose.promote(ModelId("a"), reason="first", by="me")
    lucky = publish("lucky", 290.0, champion="a", high=0.5)
    assert choose.by_merit([lucky], against=ModelId("a"), by="me") == "a"
    better = publish("better", 300.0, champion="a", high=-0.5)
    assert choose.by_merit([lucky, better], against=ModelId("a"), by="me") == "better"
    assert repository.promotions()[-1].reason == (
        "hold-out MAE 300.00 USD against the champion's 310.00 USD"
    )


def test_takes_no_word_of_a_comparison_with_another_champion(choose, publish):
    publish("a")
    choose.promote(ModelId("a"), reason="first", by="me")
    other = publish("b", 100.0, champion="of-last-year", high=-5.0)
    assert choose.by_merit([other], against=ModelId("a"), by="me") == "a"


def test_does_not_bring_back_a_champion_that_was_taken_down(choose, publish):
    publish("a")
    choose.promote(ModelId("a"), reason="first", by="me")
    b = publish("b", 100.0, champion="a", high=-5.0)
    choose.by_merit([b], against=ModelId("a"), by="me")
    choose.roll_back(by="me", reason="b looks wrong")
    assert choose.by_merit([b], against=ModelId("a"), by="me") == "a"


def test_leaves_a_champion_that_was_promoted_by_hand_meanwhile(choose, publish):
    publish("a")
    publish("by-hand")
    choose.promote(ModelId("by-hand"), reason="while the others trained", by="me")
    b = publish("b", 100.0, champion="a", high=-5.0)
    assert choose.by_merit([b], against=ModelId("a"), by="me") == "by-hand"


def test_passes_over_a_challenger_that_cannot_be_served(choose, publish, repository):
    cards = [publish("good", 300.0), publish("broken", 200.0)]
    repository.damaged.add("broken")
    assert choose.by_merit(cards, against=None, by="me") == "good"
    repository.damaged.add("good")
    assert choose.by_merit([publish("worse")], against=None, by="me") == "worse"


def test_replaces_a_champion_that_is_damaged(choose, publish, repository):
    publish("a", 100.0)
    choose.promote(ModelId("a"), reason="first", by="me")
    repository.damaged.add("a")
    assert choose.by_merit([publish("b", 300.0)], against=None, by="me") == "b"


@pytest.mark.parametrize("cards", [[], ["a"]])
def test_keeps_the_champion_where_nobody_challenges(choose, publish, cards):
    a = publish("a")
    choose.promote(ModelId("a"), reason="first", by="me")
    assert choose.by_merit([a] if cards else [], against=ModelId("a"), by="me") == "a"


def test_has_no_champion_where_there_is_no_model(choose):
    assert choose.by_merit([], against=None, by="me") is None


def test_refuses_to_promote_what_cannot_be_served(choose, publish, repository):
    publish("a")
    publish("broken")
    choose.promote(ModelId("a"), reason="first", by="me")
    repository.damaged.add("broken")
    with pytest.raises(ModelDamaged):
        choose.promote(ModelId("broken"), reason="why not", by="me")
    with pytest.raises(ModelNotFound):
        choose.promote(ModelId("nothing"), reason="why not", by="me")
    assert repository.champion() == "a"
    assert len(repository.promotions()) == 1


def test_refuses_a_promotion_that_another_overtook(publish, repository):
    publish("a")
    publish("b")

    def a_moment_in_which_another_promotes():
        ChooseChampion(repository, lambda: NOON).promote(ModelId("a"), reason="first", by="other")
        return NOON

    slow = ChooseChampion(repository, a_moment_in_which_another_promotes)
    with pytest.raises(Conflict):
        slow.promote(ModelId("b"), reason="late", by="me")
    assert repository.champion() == "a"


def promote(choose, *names):
    for name in names:
        choose.promote(ModelId(name), reason="a test", by="me")


def test_rolls_back_to_the_champion_before(choose, publish, repository):
    for name in "abc":
        publish(name)
    promote(choose, "a", "b", "c")
    assert choose.roll_back(by="me", reason="c looks wrong") == "b"
    assert choose.roll_back(by="me") == "a"
    with pytest.raises(NothingToRollBack):
        choose.roll_back(by="me")
    told = [(p.model_id, p.previous, p.reason) for p in repository.promotions()[3:]]
    assert told == [("b", "c", "c looks wrong"), ("a", "b", "rolled back from b")]


def test_rolls_back_past_what_was_promoted_after_a_rollback(choose, publish):
    for name in "abc":
        publish(name)
    promote(choose, "a", "b")
    choose.roll_back(by="me")
    promote(choose, "c")
    assert choose.roll_back(by="me") == "a"


def test_rolls_back_nothing_where_nothing_was_promoted_twice(choose, publish):
    with pytest.raises(NothingToRollBack):
        choose.roll_back(by="me")
    publish("a")
    promote(choose, "a", "a")
    with pytest.raises(NothingToRollBack):
        choose.roll_back(by="me")
