from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from diamond_core import ModelId, Promotion, champion_periods
from diamond_core.testing.samples import NOON


def promotions(names):
    return [
        Promotion(
            number=hour + 1,
            model_id=ModelId(name),
            at=NOON + timedelta(hours=hour),
            by="me",
            reason=f"r{hour}",
        )
        for hour, name in enumerate(names)
    ]


def test_says_from_when_to_when():
    first, second, third = champion_periods(promotions("aba"))
    assert (first.model_id, first.since, first.until) == ("a", NOON, NOON + timedelta(hours=1))
    assert (second.model_id, second.reason) == ("b", "r1")
    assert (third.model_id, third.until) == ("a", None)


def test_begins_no_new_period_for_the_champion_itself():
    only, other = champion_periods(promotions("aab"))
    assert (only.model_id, only.since, only.until) == ("a", NOON, NOON + timedelta(hours=2))
    assert (only.by, only.reason) == ("me", "r0")
    assert (other.model_id, other.until) == ("b", None)


@given(st.lists(st.sampled_from("abc")))
def test_knows_the_champion_of_every_moment(names):
    made = promotions(names)
    for hour, name in enumerate(names):
        moment = NOON + timedelta(hours=hour, minutes=30)
        champions = [
            period.model_id
            for period in champion_periods(made)
            if period.since <= moment and (period.until is None or moment < period.until)
        ]
        assert champions == [name]
