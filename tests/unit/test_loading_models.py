"""From a model's files to what serves: the graph, the estimator, the stones."""

from __future__ import annotations

import numpy as np
import pytest
from histories import SAMPLES, STONES, A, B, keep, npy, publish

from diamond_core import (
    ESTIMATOR_FILE,
    ONNX_FILE,
    DiamondTable,
    ModelDamaged,
    ModelHistory,
    sorted_samples,
)
from diamond_core.stones.diamond_table import DTYPE
from diamond_core.stones.fields import OPTIONAL
from diamond_core.testing import FormulaModel, load_formula

# The model


def test_loads_the_graph_with_the_features_of_the_card(repository):
    loaded = []

    def load(data, features):
        loaded.append((bytes(data), features))
        return FormulaModel()

    history = ModelHistory(repository, load)
    keep(repository, A, {ONNX_FILE: b"graph"}, features=("carat", "z"))
    history.load(A)
    assert loaded == [(b"graph", ("carat", "z"))]


def test_does_not_open_a_model_that_takes_a_field_of_a_later_version(repository):
    def load(data, features):
        raise AssertionError("it must not be loaded")

    history = ModelHistory(repository, load)
    features = ("carat", "girdle", "cut", "fluorescence")
    keep(repository, A, {ONNX_FILE: b"graph"}, features=features)
    with pytest.raises(ModelDamaged, match="it uses girdle, fluorescence, unknown"):
        history.load(A)
    assert [card.features for card in history.cards()] == [features]


def test_does_not_load_bytes_that_are_no_model(history, repository):
    keep(repository, A, {ONNX_FILE: b"no formula"})
    with pytest.raises(ModelDamaged, match="are not a formula"):
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
    keep(repository, A, {ESTIMATOR_FILE: b"pickled"})
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
    keep(repository, A, {"trees.json": b"[]"})
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
    card = keep(repository, A, {ONNX_FILE: b"formula 1.0"}, npy(rows, version))
    return ModelHistory(repository, load_formula).samples(card)


def stored_samples(repository):
    (digest,) = repository.shared()
    return np.frombuffer(repository.read_shared(digest), dtype=np.uint8)


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
    assert np.shares_memory(stones.rows, stored_samples(repository))
    assert not stones.rows.flags.writeable


@pytest.mark.parametrize(
    ("lacking", "more"),
    [(("table",), ()), (OPTIONAL, ()), ((), ("girdle",)), (("x", "depth"), ("girdle", "culet"))],
    ids=str,
)
def test_reads_the_stones_of_another_version_without_a_copy(repository, lacking, more):
    stones = samples_of(repository, stored_rows(lacking, more))
    assert np.shares_memory(stones.rows, stored_samples(repository))
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
    card = keep(repository, A, {ONNX_FILE: b"formula 1.0"}, data)
    publish(history, B)
    with pytest.raises(ModelDamaged) as caught:
        history.samples(card)
    assert caught.value.id == A
    with pytest.raises(ModelDamaged):
        history.load(A)
    assert history.load(B).card.id == B


def test_reads_no_stones_at_all(repository):
    assert len(samples_of(repository, sorted_samples(STONES).rows[:0])) == 0
