"""Who was promoted: the order, the numbers, and what is odd among them."""

from __future__ import annotations

import json

import pytest
from histories import REASON, A, B, C, publish

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    Conflict,
    ModelDamaged,
    ModelHistory,
    ModelNotFound,
    Promotion,
)
from diamond_core.codec import encode, to_plain
from diamond_core.testing import load_formula
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE


def promote(history, *ids):
    for id in ids:
        history.promote(id, previous=history.champion(), **REASON)


def test_keeps_promotions_in_their_order(history):
    publish(history, A, B)
    assert (history.champion(), list(history.promotions())) == (None, [])
    promote(history, A, B, A)
    assert [(each.number, each.model_id, each.previous) for each in history.promotions()] == [
        (1, A, None),
        (2, B, A),
        (3, A, B),
    ]
    assert history.champion() == A
    assert list(history.candidates()) == [A, B]
    first = history.promotions()[0]
    assert (first.at, first.by, first.reason) == (NOON, "tester", "a test")


def test_returns_the_promotion_that_it_keeps(history):
    publish(history, A)
    promotion = history.promote(A, previous=None, **REASON)
    assert promotion == Promotion(number=1, model_id=A, **REASON)
    assert list(history.promotions()) == [promotion]


def test_knows_the_last_number_cheaply(history):
    publish(history, A, B)
    assert history.last_number() == 0
    promote(history, A, B)
    assert (history.last_number(), history.last_number(1), history.last_number(2)) == (2, 2, 2)


ODD_RECORDS = [
    b"",
    b"no JSON",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"{}",
    json.dumps({"schema": 9, "number": 2, "champion": {"id": "b"}, "at": "now"}).encode(),
    encode(Promotion(number=2, model_id=B, **REASON)).replace(b'"b"', b'"../b"'),
    encode(Promotion(number=2, model_id=B, **REASON)).replace(b"2026-01-02", b"yesterday"),
    encode(Promotion(number=2, model_id=B, **REASON)).replace(b'"tester"', b"7"),
]


@pytest.mark.parametrize("record", ODD_RECORDS, ids=range(len(ODD_RECORDS)))
def test_hides_no_promotion_behind_an_odd_one_whose_number_stays_taken(
    history, repository, caplog, record
):
    publish(history, A, C)
    promote(history, A)
    repository.promote(2, record)
    assert [each.model_id for each in history.promotions()] == [A]
    assert "promotion 2 can't be read" in caplog.text
    assert history.champion() == A
    assert history.last_number() == 2
    promotion = history.promote(C, previous=A, **REASON)
    assert promotion.number == 3
    assert [(each.number, each.model_id) for each in history.promotions()] == [(1, A), (3, C)]
    assert [bytes(kept) for number, kept in repository.promotions() if number == 2] == [record]


def test_promotes_where_the_only_promotion_is_odd(history, repository):
    publish(history, A)
    repository.promote(1, b"no JSON")
    assert history.champion() is None
    assert history.promote(A, previous=None, **REASON).number == 2


def test_reads_the_promotions_of_a_later_version(history, repository):
    publish(history, A, B)
    promote(history, A)
    later = to_plain(Promotion(number=2, model_id=B, previous=A, schema=2, **REASON))
    repository.promote(2, json.dumps(later | {"approved": {"by": "a person"}}).encode())
    assert history.champion() == B
    assert history.promotions()[-1] == Promotion(
        number=2, model_id=B, previous=A, schema=2, **REASON
    )


def test_trusts_the_number_under_which_a_promotion_is_kept(history, repository):
    publish(history, A, B)
    repository.promote(1, encode(Promotion(number=77, model_id=A, **REASON)))
    assert [each.number for each in history.promotions()] == [1]
    assert history.promote(B, previous=A, **REASON).number == 2


def test_refuses_to_promote_where_the_champion_is_another(history):
    publish(history, A, B, C)
    for previous in (B, A):
        with pytest.raises(Conflict, match="the champion is now None"):
            history.promote(C, previous=previous, **REASON)
    promote(history, A)
    for previous in (None, B):
        with pytest.raises(Conflict, match="the champion is now a"):
            history.promote(C, previous=previous, **REASON)
    assert [each.model_id for each in history.promotions()] == [A]


def test_refuses_to_promote_where_somebody_was_quicker():
    class Slow(InMemoryModelRepository):
        """One in which another process promotes B, after we have looked and before we write."""

        def promote(self, number, record):
            super().promote(number, encode(Promotion(number=number, model_id=B, **REASON)))
            super().promote(number, record)

    history = ModelHistory(Slow(), load_formula)
    publish(history, A, B)
    with pytest.raises(Conflict):
        history.promote(A, previous=None, **REASON)
    assert [each.model_id for each in history.promotions()] == [B]


def test_does_not_promote_a_model_that_is_not_there_or_has_no_sound_card(history, repository):
    publish(history, A)
    repository.damage(A, CARD_FILE)
    with pytest.raises(ModelDamaged):
        history.promote(A, previous=None, **REASON)
    with pytest.raises(ModelNotFound):
        history.promote(B, previous=None, **REASON)
    assert list(history.promotions()) == []
