"""The history of models over a repository: what a card is, and what is damaged."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import numpy as np
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
from diamond_core.use_cases.model_history import CARD_FILE


def test_gives_back_the_card_that_it_published(history):
    published = publish(history, A, seed=3)
    named = {"files": published.files, "samples": published.samples}
    assert history.card(A) == published == a_card(A, seed=3, **named)
    assert set(published.files) == {ONNX_FILE, ESTIMATOR_FILE}


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


def test_does_not_load_a_model_with_a_damaged_file(history, repository):
    publish(history, A, B)
    repository.damage(A, ONNX_FILE)
    with pytest.raises(ModelDamaged, match=r"model\.onnx is not the file that was") as caught:
        history.load(A)
    assert caught.value.id == A
    assert list(history.problems()) == [A]
    assert sorted(card.id for card in history.cards()) == [A, B]
    assert history.load(B).card.id == B


def test_does_not_load_a_model_that_lacks_a_file(history, repository):
    card = keep(InMemoryModelRepository(), A, {ONNX_FILE: b"formula 1.0"})
    repository.add(A, {CARD_FILE: encode(card)})
    with pytest.raises(ModelDamaged, match=r"model\.onnx is missing"):
        history.load(A)
    assert list(history.problems()) == [A]


def test_stores_the_samples_of_models_of_the_same_stones_once(history, repository):
    first = publish(history, A)
    shuffled = STONES[np.random.default_rng(0).permutation(len(STONES))]
    second = history.publish(a_card(B), a_fitted_model(shuffled), shuffled)
    assert dict(repository.shared()) == {first.samples: len(SAMPLES)}
    assert second.samples == first.samples
    other = history.publish(a_card(C), a_fitted_model(STONES[1:]), STONES[1:])
    assert set(repository.shared()) == {first.samples, other.samples}


@pytest.mark.parametrize(
    ("lose", "told"),
    [
        (InMemoryModelRepository.damage_shared, "were changed"),
        (InMemoryModelRepository.remove_shared, "are missing"),
    ],
)
def test_calls_each_model_damaged_whose_samples_are(history, repository, lose, told):
    card = publish(history, A, B)
    history.publish(a_card(C), a_fitted_model(STONES[1:]), STONES[1:])
    lose(repository, card.samples)
    problems = history.problems()
    assert set(problems) == {A, B}
    for each in history.cards():
        for use in (lambda card: history.load(card.id), history.check, history.samples):
            if each.id in problems:
                with pytest.raises(ModelDamaged, match=f"its samples {card.samples} {told}"):
                    use(each)
            else:
                use(each)
    history.publish(a_card("of-the-same-stones"), a_fitted_model(STONES), STONES)
    assert history.problems() == {}


@pytest.mark.parametrize("samples", ["", "../../../etc/passwd", "f" * 63, "F" * 64])
def test_does_not_look_for_samples_that_are_no_digest(history, repository, samples):
    repository.add(A, {CARD_FILE: encode(a_card(A, samples=samples))})
    assert history.problems() == {A: f"its card names the samples {samples!r}"}


def test_stores_no_samples_of_a_model_whose_card_is_no_json(history, repository):
    with pytest.raises(FamilyFailed):
        history.publish(a_card(A, details={"found": {1}}), a_fitted_model(STONES), STONES)
    assert (repository.ids(), dict(repository.shared())) == ([], {})


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


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "x" * 81, "a b", CARD_FILE])
def test_keeps_no_file_of_a_name_that_not_every_store_can_keep(history, repository, name):
    fitted = a_fitted_model(STONES, files={ONNX_FILE: b"formula 1.0", name: b"data"})
    with pytest.raises(FamilyFailed, match="can't have a file named"):
        history.publish(a_card(A), fitted, STONES)
    assert repository.ids() == []


def test_does_not_look_for_files_outside_of_a_model(history, repository):
    keep(repository, A, {ONNX_FILE: b"formula 1.0", "../x": b""})
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
    ranges = dataclasses.replace(ranges, **broken)
    keep(repository, A, {ONNX_FILE: b"formula 1.0"}, price_ranges=ranges)
    with pytest.raises(ModelDamaged):
        history.load(A)


def test_calls_it_an_outage_where_a_graph_cannot_be_loaded_for_now(history, repository):
    publish(history, A)

    def no_memory(data, features):
        raise Unavailable("no memory")

    with pytest.raises(Unavailable, match="no memory"):
        ModelHistory(repository, no_memory).load(A)
