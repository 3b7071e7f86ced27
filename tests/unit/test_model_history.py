"""The history of models over a repository: what a card is, what is damaged, who was promoted."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from datetime import timedelta

import numpy as np
import pytest

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    ESTIMATOR_FILE,
    ONNX_FILE,
    REPORT_FILE,
    Conflict,
    DiamondTable,
    FamilyFailed,
    ModelDamaged,
    ModelExists,
    ModelFileNotFound,
    ModelHistory,
    ModelId,
    ModelNotFound,
    Promotion,
    Unavailable,
    sorted_samples,
)
from diamond_core.codec import encode, to_plain
from diamond_core.stones.diamond_table import DTYPE
from diamond_core.stones.fields import OPTIONAL
from diamond_core.testing import FormulaModel, a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE, SAMPLES_FILE

STONES = some_stones(200)
A, B, C = ModelId("a"), ModelId("b"), ModelId("c")
REASON = {"at": NOON, "by": "tester", "reason": "a test"}


@pytest.fixture
def repository():
    return InMemoryModelRepository()


@pytest.fixture
def history(repository):
    return ModelHistory(repository, load_formula)


def publish(history, *ids, **changes):
    for id in ids:
        card = history.publish(a_card(id, **changes), a_fitted_model(STONES), STONES)
    return card


def keep(repository, id, files, **changes):
    """Keep a model of any *files*, with a card that names their digests."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    card = a_card(id, files=digests, **changes)
    repository.add(id, {**files, CARD_FILE: encode(card)})
    return card


def npy(rows, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, rows, version)
    return buffer.getvalue()


SAMPLES = npy(sorted_samples(STONES).rows)


# Cards


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
    cards, damaged = history.cards_and_damage()
    assert [each.id for each in cards] == [B]
    assert [each.id for each in damaged] == [A]
    assert [each.id for each in history.damage()] == [A]


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


# Files


@pytest.mark.parametrize("file", [ONNX_FILE, SAMPLES_FILE])
def test_does_not_load_a_model_with_a_damaged_file(history, repository, file):
    publish(history, A, B)
    repository.damage(A, file)
    with pytest.raises(ModelDamaged, match=f"{file} is not the file that was trained") as caught:
        history.load(A)
    assert caught.value.id == A
    assert [each.id for each in history.damage()] == [A]
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
    assert [each.id for each in history.damage()] == [A]


def test_finds_damage_of_a_file_that_is_not_served(history, repository):
    publish(history, A)
    assert history.damage() == []
    repository.damage(A, ESTIMATOR_FILE)
    (damage,) = history.damage()
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
        history.damage,
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
    cards, damaged = history.cards_and_damage()
    assert [card.id for card in cards] == [A]
    assert [(each.id, each.detail) for each in damaged] == [(B, "the disk failed")]


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "x" * 81, "a b", SAMPLES_FILE])
def test_keeps_no_file_of_a_name_that_not_every_store_can_keep(history, repository, name):
    fitted = a_fitted_model(STONES, files={ONNX_FILE: b"formula 1.0", name: b"data"})
    with pytest.raises(FamilyFailed, match="can't have a file named"):
        history.publish(a_card(A), fitted, STONES)
    assert repository.ids() == []


def test_does_not_look_for_files_outside_of_a_model(history, repository):
    keep(repository, A, {ONNX_FILE: b"formula 1.0", SAMPLES_FILE: SAMPLES, "../x": b""})
    (damage,) = history.damage()
    assert "its card names a file '../x'" in str(damage)


@pytest.mark.parametrize("details", [{"found": {1, 2}}, {"model": object()}], ids=str)
def test_keeps_no_card_whose_details_are_no_json(history, repository, details):
    with pytest.raises(FamilyFailed, match="no JSON"):
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


# The model


def test_loads_the_graph_with_the_features_of_the_card(repository):
    loaded = []

    def load(data, features):
        loaded.append((bytes(data), features))
        return FormulaModel()

    history = ModelHistory(repository, load)
    keep(repository, A, {ONNX_FILE: b"graph", SAMPLES_FILE: SAMPLES}, features=("carat", "z"))
    history.load(A)
    assert loaded == [(b"graph", ("carat", "z"))]


def test_does_not_open_a_model_that_takes_a_field_of_a_later_version(repository):
    def load(data, features):
        raise AssertionError("it must not be loaded")

    history = ModelHistory(repository, load)
    features = ("carat", "girdle", "cut", "fluorescence")
    keep(repository, A, {ONNX_FILE: b"graph", SAMPLES_FILE: SAMPLES}, features=features)
    with pytest.raises(ModelDamaged, match="it takes girdle, fluorescence, unknown"):
        history.load(A)
    assert [card.features for card in history.cards()] == [features]


def test_does_not_load_bytes_that_are_no_model(history, repository):
    keep(repository, A, {ONNX_FILE: b"no formula", SAMPLES_FILE: SAMPLES})
    with pytest.raises(ModelDamaged, match="hold no formula"):
        history.load(A)


class Odd:
    """A model whose way to price is given."""

    def __init__(self, price):
        self.price = price


def fails(stones):
    raise ZeroDivisionError("no such operator")


@pytest.mark.parametrize(
    ("price", "message"),
    [
        (fails, "no such operator"),
        (lambda stones: np.array([1.0]), "does not price"),
        (lambda stones: np.ones((2, 1)), "does not price"),
        (lambda stones: np.array([1.0, 0.0]), "does not price"),
        (lambda stones: np.array([1.0, np.nan]), "does not price"),
        (lambda stones: np.array([np.inf, 1.0]), "does not price"),
    ],
    ids=["fails", "one price", "a column", "zero", "nan", "infinite"],
)
def test_does_not_load_a_model_that_cannot_price_two_ordinary_stones(repository, price, message):
    history = ModelHistory(repository, lambda data, features: Odd(price))
    publish(history, A)
    with pytest.raises(ModelDamaged, match=message) as caught:
        history.load(A)
    assert caught.value.id == A


def test_prefers_the_graph_to_the_pickled_estimator(repository):
    def unpickle(data, features):
        raise AssertionError("it must not be unpickled")

    history = ModelHistory(repository, load_formula, unpickle)
    publish(history, A)
    np.testing.assert_array_equal(history.load(A).model.price(STONES), FormulaModel().price(STONES))


def test_opens_a_pickled_estimator_only_where_it_may(repository):
    model = FormulaModel()
    keep(repository, A, {ESTIMATOR_FILE: b"pickled", SAMPLES_FILE: SAMPLES})
    with pytest.raises(ModelDamaged, match=f"no {ONNX_FILE}, and the settings do not allow"):
        ModelHistory(repository, load_formula).load(A)
    unpickled = []

    def unpickle(data, features):
        unpickled.append(bytes(data))
        return model

    assert ModelHistory(repository, load_formula, unpickle).load(A).model is model
    assert unpickled == [b"pickled"]
    repository.damage(A, ESTIMATOR_FILE)
    with pytest.raises(ModelDamaged, match=ESTIMATOR_FILE):
        ModelHistory(repository, load_formula, unpickle).load(A)
    assert unpickled == [b"pickled"]


def test_opens_nothing_where_there_is_neither_a_graph_nor_an_estimator(repository):
    keep(repository, A, {"trees.json": b"[]", SAMPLES_FILE: SAMPLES})
    for history in (
        ModelHistory(repository, load_formula),
        ModelHistory(repository, load_formula, load_formula),
    ):
        with pytest.raises(ModelDamaged, match=f"it has no {ONNX_FILE}$"):
            history.load(A)


def test_keeps_to_the_graph_where_it_is_damaged_and_the_estimator_is_not(repository):
    """Else whoever can damage a graph could have the estimator's code run."""
    history = ModelHistory(repository, load_formula, lambda data, features: FormulaModel())
    publish(history, A)
    repository.damage(A, ONNX_FILE)
    with pytest.raises(ModelDamaged, match=ONNX_FILE):
        history.load(A)


# The stones


def samples_of(repository, rows, version=None):
    files = {ONNX_FILE: b"formula 1.0", SAMPLES_FILE: npy(rows, version)}
    card = keep(repository, A, files)
    return ModelHistory(repository, load_formula).samples(card)


def stored_rows(lacking=(), more=()):
    """Return the stones as a version without some fields and with *more* of them stores them."""
    kept = [(name, DTYPE[name]) for name in DTYPE.names if name not in lacking]
    stones = sorted_samples(STONES)
    rows = np.zeros(len(stones), dtype=[*((name, np.float64) for name in more), *kept])
    for name, _ in kept:
        rows[name] = stones.column(name)
    return rows


def test_keeps_the_stones_in_the_order_of_the_index(history):
    card = publish(history, A)
    np.testing.assert_array_equal(history.samples(card).rows, sorted_samples(STONES).rows)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_reads_the_stones_without_a_copy(repository, version):
    stones = samples_of(repository, sorted_samples(STONES).rows, version)
    np.testing.assert_array_equal(stones.rows, sorted_samples(STONES).rows)
    stored = np.frombuffer(repository.read(A, SAMPLES_FILE), dtype=np.uint8)
    assert np.shares_memory(stones.rows, stored)
    assert not stones.rows.flags.writeable


@pytest.mark.parametrize(
    ("lacking", "more"),
    [(("table",), ()), (OPTIONAL, ()), ((), ("girdle",)), (("x", "depth"), ("girdle", "culet"))],
    ids=str,
)
def test_reads_the_stones_of_another_version_without_a_copy(repository, lacking, more):
    stones = samples_of(repository, stored_rows(lacking, more))
    stored = np.frombuffer(repository.read(A, SAMPLES_FILE), dtype=np.uint8)
    assert np.shares_memory(stones.rows, stored)
    expected = sorted_samples(STONES).rows_of_today()
    for name in lacking:
        expected[name] = np.nan
    assert list(stones) == list(DiamondTable(expected))
    np.testing.assert_array_equal(stones.price, expected["price"])
    served = ModelHistory(repository, load_formula).load(A)
    nearest = served.similar.nearest(STONES.diamond(0), 3)
    assert nearest.carat_differences[0] == 0.0
    for name in lacking:
        assert not nearest.stones.known(name).any()


@pytest.mark.parametrize("lacking", ["carat", "cut", "price"])
def test_calls_stones_damaged_that_lack_what_each_stone_has(repository, lacking):
    with pytest.raises(ModelDamaged):
        samples_of(repository, stored_rows((lacking,)))


@pytest.mark.parametrize(
    "data",
    [
        b"damaged",
        b"",
        SAMPLES[:40],
        SAMPLES[:-1],
        SAMPLES.replace(b"(200,)", b"(999,)"),
        SAMPLES.replace(b"(200,)", b"(2x0,)"),
        npy(np.zeros(3)),
        npy(np.zeros((2, 2), dtype=DTYPE)),
        npy(np.zeros((), dtype=DTYPE)),
        npy(np.array([None, {}])),
    ],
    ids=range(10),
)
def test_calls_stones_damaged_that_cannot_be_read(repository, history, data):
    card = keep(repository, A, {ONNX_FILE: b"formula 1.0", SAMPLES_FILE: data})
    publish(history, B)
    with pytest.raises(ModelDamaged) as caught:
        history.samples(card)
    assert caught.value.id == A
    with pytest.raises(ModelDamaged):
        history.load(A)
    assert history.load(B).card.id == B


def test_reads_no_stones_at_all(repository):
    assert len(samples_of(repository, sorted_samples(STONES).rows[:0])) == 0


# Promotions


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
        with pytest.raises(Conflict, match="the champion is None now"):
            history.promote(C, previous=previous, **REASON)
    promote(history, A)
    for previous in (None, B):
        with pytest.raises(Conflict, match="the champion is a now"):
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
