from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from diamond_core.model_card import ModelId, Promotion
from diamond_core.reigns import reigns
from diamond_core.testing.samples import NOON


def promotions(names):
    return [
        Promotion(
            model_id=ModelId(name), at=NOON + timedelta(hours=hour), by="me", reason=f"r{hour}"
        )
        for hour, name in enumerate(names)
    ]


def test_tells_from_when_to_when():
    first, second, third = reigns(promotions("aba"))
    assert (first.model_id, first.since, first.until) == ("a", NOON, NOON + timedelta(hours=1))
    assert (second.model_id, second.reason) == ("b", "r1")
    assert (third.model_id, third.until) == ("a", None)


def test_begins_no_new_reign_for_the_champion_itself():
    only, other = reigns(promotions("aab"))
    assert (only.model_id, only.since, only.until) == ("a", NOON, NOON + timedelta(hours=2))
    assert only.to_json()["reason"] == "r0"
    assert other.to_json()["to"] is None


@given(st.lists(st.sampled_from("abc")))
def test_knows_the_champion_of_every_moment(names):
    made = promotions(names)
    for hour, name in enumerate(names):
        moment = NOON + timedelta(hours=hour, minutes=30)
        champions = [
            reign.model_id
            for reign in reigns(made)
            if reign.since <= moment and (reign.until is None or moment < reign.until)
        ]
        assert champions == [name]
