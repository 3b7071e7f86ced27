"""The history of models over a repository: what a card is, and what is damaged."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest
from histories import REASON, SAMPLES, STONES, A, B, C, keep, publish

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    ESTIMATOR_FILE,
    ONNX_FILE,
    REPORT_FILE,
    FamilyFailed,
    ModelDamaged,
    ModelExists,
    ModelFileNotFound,
    ModelHistory,
    ModelNotFound,
    Unavailable,
)
from diamond_core.codec import encode, to_plain
from diamond_core.testing import a_card, a_fitted_model
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE, SAMPLES_FILE


def test_gives_back_the_card_that_it_published(history):
    published = publish(history, A, seed=3)
    assert history.card(A) == published == a_card(A, seed=3, files=published.files)
    assert set(published.files) == {ONNX_FILE, ESTIMATOR_FILE, SAMPLES_FILE}


def test_lists_cards_newest_first(history):
    for id, minute in ((B, 1), (C, 2), (A, 0)):
        publish(history, id, created_at=NOON + timedelta(minutes=minute))
    assert [card.id for card in history.cards()] == [C, B, A]


def test_keeps_models_apart_and_never_replaces_one(history):
    first = publish(history, A)
    with pytest.raises(ModelExists):
        publish(history, A, seed=99)
    assert history.card(A) == first


def test_does_not_find_what_is_not_there(history):
    publish(history, A)
    for look in (history.card, history.load, history.report):
        with pytest.raises(ModelNotFound) as caught:
            look(B)
        assert not isinstance(caught.value, ModelFileNotFound)


@pytest.mark.parametrize(
    "card",
    [
        b"damaged",
        b"",
        b"{}",
        b"[]",
        b"\xff",
        json.dumps(to_plain(a_card(A)) | {"seed": "7"}).encode(),
        json.dumps(to_plain(a_card(A)) | {"metrics": {}}).encode(),
        json.dumps(to_plain(a_card(A)) | {"id": "../a"}).encode(),
        json.dumps(to_plain(a_card(A)) | {"created_at": "at noon"}).encode(),
        encode(a_card("another")),
    ],
    ids=lambda card: str(card[-12:]),
)
def test_shows_a_damaged_card_and_hides_no_other(history, repository, card):
    publish(history, B)
    repository.add(A, {CARD_FILE: card})
    with pytest.raises(ModelDamaged, match=CARD_FILE):
        history.card(A)
    assert [each.id for each in history.cards()] == [B]
    cards, problems = history.cards_and_problems()
    assert [each.id for each in cards] == [B]
    assert list(problems) == [A]
    assert list(history.problems()) == [A]


def test_calls_a_model_without_a_card_damaged(history, repository):
    repository.add(A, {ONNX_FILE: b"formula 1.0"})
    publish(history, B)
    with pytest.raises(ModelDamaged, match=f"it has no {CARD_FILE}"):
        history.card(A)
    assert [each.id for each in history.cards()] == [B]


def test_hides_no_other_behind_a_card_whose_time_has_no_zone(history, repository):
    publish(history, B)
    values = to_plain(a_card(A)) | {"created_at": "2026-01-02T12:00:00"}
    repository.add(A, {CARD_FILE: json.dumps(values).encode()})
    assert B in [card.id for card in history.cards()]


def test_reads_the_card_of_a_later_version(history, repository):
    values = to_plain(a_card(A))
    values |= {"schema": 2, "later": {"a": [1]}, "metrics": values["metrics"] | {"p99": 1.0}}
    repository.add(A, {CARD_FILE: json.dumps(values).encode()})
    assert history.card(A) == a_card(A, schema=2)


@pytest.mark.parametrize("file", [ONNX_FILE, SAMPLES_FILE])
def test_does_not_load_a_model_with_a_damaged_file(history, repository, file):
    publish(history, A, B)
    repository.damage(A, file)
    with pytest.raises(ModelDamaged, match=f"{file} is not the file that was trained") as caught:
        history.load(A)
    assert caught.value.id == A
    assert list(history.problems()) == [A]
    assert sorted(card.id for card in history.cards()) == [A, B]
    assert history.load(B).card.id == B


@pytest.mark.parametrize("file", [ONNX_FILE, SAMPLES_FILE])
def test_does_not_load_a_model_that_lacks_a_file(history, repository, file):
    files = {ONNX_FILE: b"formula 1.0", SAMPLES_FILE: SAMPLES}
    card = encode(keep(InMemoryModelRepository(), A, files))
    del files[file]
    repository.add(A, {**files, CARD_FILE: card})
    with pytest.raises(ModelDamaged, match=f"{file} is missing"):
        history.load(A)
    assert list(history.problems()) == [A]


def test_finds_damage_of_a_file_that_is_not_served(history, repository):
    publish(history, A)
    assert history.problems() == {}
    repository.damage(A, ESTIMATOR_FILE)
    (damage,) = history.problems().values()
    assert ESTIMATOR_FILE in str(damage)
    assert history.load(A).card.id == A


def test_gives_the_report_of_a_training(history, repository):
    fitted = a_fitted_model(STONES, files={ONNX_FILE: b"formula 1.0", REPORT_FILE: b"a page"})
    history.publish(a_card(A), fitted, STONES)
    publish(history, B)
    assert history.report(A) == b"a page"
    with pytest.raises(ModelFileNotFound):
        history.report(B)
    repository.damage(A, REPORT_FILE)
    with pytest.raises(ModelDamaged, match=REPORT_FILE):
        history.report(A)


def test_calls_an_outage_an_outage_and_no_damage(history, repository):
    card = publish(history, A)
    repository.failure = Unavailable("the disk failed")
    for use in (
        history.cards,
        history.problems,
        history.promotions,
        history.champion,
        lambda: history.card(A),
        lambda: history.open(card),
        lambda: history.samples(card),
        lambda: history.load(A),
        lambda: history.promote(A, previous=None, **REASON),
        lambda: publish(history, B),
    ):
        with pytest.raises(Unavailable, match="the disk failed"):
            use()


def test_shows_the_cards_within_reach(history, repository, monkeypatch):
    publish(history, A, B)
    read = repository.read

    def out_of_reach(id, name):
        if id == B:
            raise Unavailable("the disk failed")
        return read(id, name)

    monkeypatch.setattr(repository, "read", out_of_reach)
    cards, problems = history.cards_and_problems()
    assert [card.id for card in cards] == [A]
    assert problems == {B: "it can't be reached now: the disk failed"}


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "x" * 81, "a b", SAMPLES_FILE])
def test_keeps_no_file_of_a_name_that_not_every_store_can_keep(history, repository, name):
    fitted = a_fitted_model(STONES, files={ONNX_FILE: b"formula 1.0", name: b"data"})
    with pytest.raises(FamilyFailed, match="can't have a file named"):
        history.publish(a_card(A), fitted, STONES)
    assert repository.ids() == []


def test_does_not_look_for_files_outside_of_a_model(history, repository):
    keep(repository, A, {ONNX_FILE: b"formula 1.0", SAMPLES_FILE: SAMPLES, "../x": b""})
    (damage,) = history.problems().values()
    assert "its card names a file '../x'" in str(damage)


@pytest.mark.parametrize("details", [{"found": {1, 2}}, {"model": object()}], ids=["set", "object"])
def test_keeps_no_card_whose_details_are_no_json(history, repository, details):
    with pytest.raises(FamilyFailed, match="not JSON"):
        history.publish(a_card(A, details=details), a_fitted_model(STONES), STONES)
    assert repository.ids() == []


@pytest.mark.parametrize(
    "changes",
    [{"log_prices": (), "errors": ()}, {"errors": (0.1,)}, {"grade_factors": {"cut": (1.0,)}}],
    ids=str,
)
def test_does_not_load_a_model_whose_price_ranges_cannot_be_made(history, repository, changes):
    ranges = a_card(A).price_ranges
    broken = {
        name: dataclasses.replace(getattr(ranges, name), **changes)
        for name in ("measured", "unmeasured")
    }
    files = {ONNX_FILE: b"formula 1.0", SAMPLES_FILE: SAMPLES}
    keep(repository, A, files, price_ranges=dataclasses.replace(ranges, **broken))
    with pytest.raises(ModelDamaged):
        history.load(A)


def test_calls_it_an_outage_where_a_graph_cannot_be_loaded_for_now(history, repository):
    publish(history, A)

    def no_memory(data, features):
        raise Unavailable("no memory")

    with pytest.raises(Unavailable, match="no memory"):
        ModelHistory(repository, no_memory).load(A)
