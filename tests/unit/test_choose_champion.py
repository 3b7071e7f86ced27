from datetime import timedelta
from itertools import count

import pytest
from histories import damage

from diamond_core import (
    ONNX_FILE,
    ChooseChampion,
    Comparison,
    Conflict,
    ModelDamaged,
    ModelId,
    ModelNotFound,
    NothingToRollBack,
)
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE


@pytest.fixture
def choose(history):
    minutes = count()
    return ChooseChampion(history, lambda: NOON + timedelta(minutes=next(minutes)))


@pytest.fixture
def by_merit(choose, history):
    """Choose by merit right after the comparison: nobody has promoted another since then."""

    def by_merit(cards, against=None):
        against = None if against is None else ModelId(against)
        return choose.by_merit(cards, against=against, present=history.champion(), by="me")

    return by_merit


@pytest.fixture
def publish(history):
    """Publish a model of a name and an error, and what its card says about a champion."""

    def publish(name, mae=300.0, champion=None, high=0.0):
        card = a_card(name)
        metrics = type(card.metrics)(mae=mae, rmse=1, mape=0.1, r2=0.9, worst_decile=1)
        comparison = champion and Comparison(
            champion=champion, champion_mae=310.0, difference=high - 1, low=high - 2, high=high
        )
        card = a_card(name, metrics=metrics, comparison=comparison)
        stones = some_stones(50, seed=len(history.cards()))
        return history.publish(card, a_fitted_model(stones), stones)

    return publish


def test_promotes_the_best_where_there_is_no_champion(by_merit, publish, history):
    cards = [publish("a", 300.0), publish("b", 200.0), publish("c", 250.0)]
    assert by_merit(cards) == "b"
    (promotion,) = history.promotions()
    assert (promotion.model_id, promotion.by, promotion.previous) == ("b", "me", None)
    assert promotion.reason == "hold-out MAE 200.00 USD"


def test_asks_a_challenger_for_more_than_noise(by_merit, choose, publish, history):
    publish("a", 310.0)
    choose.promote(ModelId("a"), reason="first", by="me")
    lucky = publish("lucky", 290.0, champion="a", high=0.5)
    assert by_merit([lucky], against="a") == "a"
    better = publish("better", 300.0, champion="a", high=-0.5)
    assert by_merit([lucky, better], against="a") == "better"
    assert history.promotions()[-1].reason == (
        "hold-out MAE 300.00 USD against the champion's 310.00 USD"
    )


def test_ignores_a_comparison_with_another_champion(by_merit, choose, publish):
    publish("a")
    choose.promote(ModelId("a"), reason="first", by="me")
    other = publish("b", 100.0, champion="of-last-year", high=-5.0)
    assert by_merit([other], against="a") == "a"


def test_does_not_bring_back_a_champion_that_was_taken_down(by_merit, choose, publish):
    publish("a")
    choose.promote(ModelId("a"), reason="first", by="me")
    b = publish("b", 100.0, champion="a", high=-5.0)
    by_merit([b], against="a")
    choose.roll_back(by="me", reason="b looks wrong")
    assert by_merit([b], against="a") == "a"


def test_leaves_a_champion_that_was_promoted_by_hand_meanwhile(choose, publish, history):
    publish("a")
    publish("by-hand")
    choose.promote(ModelId("a"), reason="first", by="me")
    choose.promote(ModelId("by-hand"), reason="while the others trained", by="me")
    b = publish("b", 100.0, champion="a", high=-5.0)
    a = ModelId("a")
    for against, present in ((a, a), (None, a), (None, None)):
        with pytest.raises(Conflict, match="the champion is now by-hand"):
            choose.by_merit([b], against=against, present=present, by="me")
    assert history.champion() == "by-hand"
    assert choose.by_merit([], against=a, present=a, by="me") == "by-hand"
    assert choose.by_merit([b], against=None, present=ModelId("by-hand"), by="me") == "b"


@pytest.mark.parametrize("file", [ONNX_FILE, "samples", CARD_FILE])
def test_passes_over_a_challenger_that_cannot_be_served(by_merit, publish, repository, file):
    cards = [publish("good", 300.0), publish("broken", 200.0)]
    damage(repository, ModelId("broken"), file)
    assert by_merit(cards) == "good"
    damage(repository, ModelId("good"), file)
    assert by_merit([publish("worse")]) == "worse"


def test_replaces_a_champion_that_is_damaged(by_merit, choose, publish, repository):
    publish("a", 100.0)
    choose.promote(ModelId("a"), reason="first", by="me")
    repository.damage(ModelId("a"), ONNX_FILE)
    assert by_merit([publish("b", 300.0)]) == "b"


@pytest.mark.parametrize("cards", [[], ["a"]])
def test_keeps_the_champion_where_nobody_challenges(by_merit, choose, publish, cards):
    a = publish("a")
    choose.promote(ModelId("a"), reason="first", by="me")
    assert by_merit([a] if cards else [], against="a") == "a"


def test_has_no_champion_where_there_is_no_model(by_merit):
    assert by_merit([]) is None


def test_refuses_to_promote_what_cannot_be_served(choose, publish, history, repository):
    publish("a")
    publish("broken")
    choose.promote(ModelId("a"), reason="first", by="me")
    repository.damage(ModelId("broken"), ONNX_FILE)
    with pytest.raises(ModelDamaged):
        choose.promote(ModelId("broken"), reason="why not", by="me")
    with pytest.raises(ModelNotFound):
        choose.promote(ModelId("nothing"), reason="why not", by="me")
    assert history.champion() == "a"
    assert len(history.promotions()) == 1


def test_refuses_a_promotion_that_another_overtook(publish, history):
    publish("a")
    publish("b")

    def a_moment_in_which_another_promotes():
        ChooseChampion(history, lambda: NOON).promote(ModelId("a"), reason="first", by="other")
        return NOON

    slow = ChooseChampion(history, a_moment_in_which_another_promotes)
    with pytest.raises(Conflict):
        slow.promote(ModelId("b"), reason="late", by="me")
    assert history.champion() == "a"


def promote(choose, *names):
    for name in names:
        choose.promote(ModelId(name), reason="a test", by="me")


def test_rolls_back_to_the_champion_before(choose, publish, history):
    for name in "abc":
        publish(name)
    promote(choose, "a", "b", "c")
    assert choose.roll_back(by="me", reason="c looks wrong") == "b"
    assert choose.roll_back(by="me") == "a"
    with pytest.raises(NothingToRollBack):
        choose.roll_back(by="me")
    promoted = [(p.model_id, p.previous, p.reason) for p in history.promotions()[3:]]
    assert promoted == [("b", "c", "c looks wrong"), ("a", "b", "rolled back from b")]


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


def test_rolls_back_from_a_model_that_was_champion_before_and_promoted_again_by_hand(
    choose, publish
):
    for name in "ab":
        publish(name)
    promote(choose, "a", "b", "a")
    assert choose.roll_back(by="me") == "b"
    assert choose.roll_back(by="me") == "a"
    with pytest.raises(NothingToRollBack):
        choose.roll_back(by="me")


def test_rolls_back_past_a_champion_that_can_not_be_served(choose, publish, repository):
    for name in "abc":
        publish(name)
    promote(choose, "a", "b", "c")
    repository.damage(ModelId("b"), ONNX_FILE)
    assert choose.roll_back(by="me") == "a"
