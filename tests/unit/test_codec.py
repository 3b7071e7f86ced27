"""Cards and promotions as JSON: round trips, later versions, and what is no card."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import (
    Comparison,
    DataSummary,
    Metrics,
    ModelCard,
    ModelId,
    PriceRanges,
    Promotion,
)
from diamond_core.codec import decode, encode, from_plain, to_plain
from diamond_core.models.error_scale import ErrorScale
from diamond_core.testing import a_card

COMPARISON = Comparison(
    champion="linear-1", champion_mae=300.0, difference=-5.0, low=-8.0, high=-2.0
)
CARD = a_card(
    comparison=COMPARISON,
    trials=5,
    coverage_by_quintile=(0.9, 0.8),
    details={"chosen": {"rate": 0.1, "names": ["a", None, True]}, "ü": "💎"},
    files={"model.onnx": "0" * 64},
    version="0.1",
)


class Color(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Leaf:
    number: float
    name: str = "leaf"


@dataclass(frozen=True, kw_only=True)
class Tree:
    count: int
    flag: bool = False
    color: Color = Color.RED
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    by_name: Mapping[str, Leaf] = field(default_factory=dict)
    pair: tuple[int, str] = (0, "")
    words: Sequence[str] = ()
    at: datetime | None = None
    anything: Any = None


# Round trips


@pytest.mark.parametrize("value", [a_card(), CARD], ids=["plain", "full"])
def test_brings_a_card_back_unchanged(value):
    read = decode(ModelCard, encode(value))
    assert read == value
    assert type(read.id) is ModelId
    assert type(read.price_ranges.measured) is ErrorScale
    assert read.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("previous", [None, ModelId("a")])
def test_brings_a_promotion_back_unchanged(previous):
    promotion = Promotion(
        number=7,
        model_id=ModelId("b"),
        at=datetime.now(UTC),
        by="me",
        reason="new\n'\"💎",
        previous=previous,
    )
    assert decode(Promotion, encode(promotion)) == promotion


def test_writes_json_that_people_can_read():
    text = encode(CARD).decode("ascii")
    assert text.startswith('{\n  "id": "formula-1",\n')
    assert text.endswith("}\n")
    assert json.loads(text)["created_at"] == "2026-01-02T12:00:00.123456+00:00"


def test_writes_the_half_characters_of_a_file_name_that_is_no_text():
    text = b"stones-\xff.csv".decode("utf-8", "surrogateescape")
    assert to_plain({text: [text]}) == {text: ["stones-\\udcff.csv"]}
    read = decode(Leaf, encode(Leaf(number=1.0, name=text)))
    assert read.name == "stones-\\udcff.csv"


texts = st.text(max_size=12)
numbers = st.floats(allow_nan=False)
times = st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-7))))
ids = st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}", fullmatch=True).map(ModelId)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
leaves = st.builds(Leaf, number=numbers, name=texts)
trees = st.builds(
    Tree,
    count=st.integers(),
    flag=st.booleans(),
    leaf=st.none() | leaves,
    leaves=st.lists(leaves, max_size=3).map(tuple),
    by_name=st.dictionaries(texts, leaves, max_size=3),
    pair=st.tuples(st.integers(), texts),
    words=st.lists(texts, max_size=3).map(tuple),
    at=st.none() | times,
    anything=plain,
)
metrics = st.builds(Metrics, **{each.name: numbers for each in dataclasses.fields(Metrics)})
scales = st.builds(
    ErrorScale,
    log_prices=st.lists(numbers, max_size=4).map(tuple),
    errors=st.lists(numbers, max_size=4).map(tuple),
    grade_factors=st.dictionaries(texts, st.lists(numbers, max_size=4).map(tuple), max_size=3),
    quantile=numbers,
)
cards = st.builds(
    ModelCard,
    id=ids,
    family=texts,
    features=st.lists(texts, max_size=4).map(tuple),
    created_at=times,
    seed=st.integers(),
    seconds=numbers,
    trials=st.none() | st.integers(),
    metrics=metrics,
    metrics_four_cs=metrics,
    coverage=numbers,
    coverage_by_quintile=st.lists(numbers, max_size=5).map(tuple),
    price_ranges=st.builds(
        PriceRanges,
        coverage=numbers,
        measured=scales,
        unmeasured=scales,
        measurements=st.lists(texts, max_size=3).map(tuple),
        dearest=numbers,
        effects=st.dictionaries(texts, numbers, max_size=3),
        usual_gap=numbers,
    ),
    training_range=st.dictionaries(texts, st.tuples(numbers, numbers), max_size=3),
    data=st.builds(
        DataSummary,
        source=texts,
        digest=texts,
        **{name: st.integers() for name in ("rows", "rejected", "training_rows", "holdout_rows")},
    ),
    comparison=st.none() | st.just(COMPARISON),
    details=st.dictionaries(texts, plain, max_size=3),
    files=st.dictionaries(texts, texts, max_size=3),
)


@given(cards)
def test_brings_any_card_back_unchanged(card):
    assert decode(ModelCard, encode(card)) == card


@given(trees)
def test_brings_any_nested_values_back_unchanged(tree):
    read = decode(Tree, encode(tree))
    assert read == tree
    assert [type(read.count), type(read.flag), type(read.color)] == [int, bool, Color]


def test_takes_whole_numbers_where_fractions_are_expected():
    assert type(from_plain(Leaf, {"number": 3}).number) is float


# Other versions


def with_unknown_keys(value):
    """Return plain values with a key that nobody knows added to each object, at every depth."""
    if isinstance(value, dict):
        return {"": [1], "later": {"a": 1}} | {k: with_unknown_keys(v) for k, v in value.items()}
    if isinstance(value, list):
        return [with_unknown_keys(each) for each in value]
    return value


def test_ignores_unknown_keys_at_every_depth():
    values = to_plain(CARD) | {"details": {}, "files": {}}
    expected = dataclasses.replace(CARD, details={}, files={})
    for name in ("metrics", "metrics_four_cs", "comparison", "data"):
        values[name] = with_unknown_keys(values[name])
    ranges = values["price_ranges"]
    ranges |= {"later": 1, "measured": ranges["measured"] | {"later": None}}
    assert from_plain(ModelCard, values | {"later": [{}]}) == expected
    tree = Tree(count=1, leaf=Leaf(number=1.0), leaves=(Leaf(number=2.0), Leaf(number=3.0)))
    assert from_plain(Tree, with_unknown_keys(to_plain(tree)) | {"by_name": {}}) == tree


OPTIONAL = [
    each.name
    for each in dataclasses.fields(ModelCard)
    if each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING
]
REQUIRED = [each.name for each in dataclasses.fields(ModelCard) if each.name not in OPTIONAL]


def test_takes_the_default_where_a_key_is_missing():
    values = to_plain(CARD)
    for name in OPTIONAL:
        del values[name]
    card = from_plain(ModelCard, values)
    assert (card.trials, card.comparison, card.details, card.files) == (None, None, {}, {})
    assert (card.coverage_by_quintile, card.version, card.schema) == ((), "", 1)
    assert from_plain(Tree, {"count": 1}) == Tree(count=1)
    assert from_plain(Tree, {"count": 1}).by_name is not from_plain(Tree, {"count": 1}).by_name


@pytest.mark.parametrize("name", REQUIRED)
def test_names_the_place_of_a_missing_key(name):
    values = to_plain(CARD)
    del values[name]
    with pytest.raises(ValueError, match=f"^/{name} is missing$"):
        from_plain(ModelCard, values)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("metrics", "mae"), "/metrics/mae is missing"),
        (("price_ranges", "measured", "quantile"), "/price_ranges/measured/quantile is missing"),
        (("comparison", "low"), "/comparison/low is missing"),
        (("data", "rows"), "/data/rows is missing"),
    ],
)
def test_names_the_place_of_a_missing_key_at_every_depth(place, message):
    values = to_plain(CARD)
    inner = values
    for name in place[:-1]:
        inner = inner[name]
    del inner[place[-1]]
    with pytest.raises(ValueError, match=f"^{message}$"):
        from_plain(ModelCard, values)


# What is no card


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"count": "1"}, "/count"),
        ({"count": 1.0}, "/count"),
        ({"count": True}, "/count"),
        ({"count": None}, "/count"),
        ({"count": 1, "flag": 1}, "/flag"),
        ({"count": 1, "flag": "true"}, "/flag"),
        ({"count": 1, "leaf": [1]}, "/leaf"),
        ({"count": 1, "leaf": {"number": "1"}}, "/leaf/number"),
        ({"count": 1, "leaf": {"number": True}}, "/leaf/number"),
        ({"count": 1, "leaf": {"number": None}}, "/leaf/number"),
        ({"count": 1, "leaf": {"number": 1.0, "name": 7}}, "/leaf/name"),
        ({"count": 1, "leaves": {}}, "/leaves"),
        ({"count": 1, "leaves": None}, "/leaves"),
        ({"count": 1, "leaves": [{"number": "x"}]}, "/leaves/0/number"),
        ({"count": 1, "by_name": []}, "/by_name"),
        ({"count": 1, "by_name": {"a": 1}}, "/by_name/a"),
        ({"count": 1, "pair": [1]}, "/pair"),
        ({"count": 1, "pair": [1, "a", 2]}, "/pair"),
        ({"count": 1, "pair": ["a", 1]}, "/pair"),
        ({"count": 1, "pair": "ab"}, "/pair"),
        ({"count": 1, "words": "ab"}, "/words"),
        ({"count": 1, "words": [1]}, "/words/0"),
        ({"count": 1, "at": 7}, "/at"),
    ],
    ids=str,
)
def test_names_the_place_of_a_value_of_another_type(values, place):
    with pytest.raises(ValueError, match=rf"^{place} must (be \w+, not \w+|have 2 values)$"):
        from_plain(Tree, values)


@pytest.mark.parametrize(
    "values",
    [
        {"count": 1, "at": "yesterday"},
        {"count": 1, "at": ""},
        {"count": 1, "color": "blue"},
        {"count": 1, "leaf": {"number": 10**400}},
    ],
    ids=lambda values: str(values)[:40],
)
def test_refuses_values_that_mean_nothing(values):
    with pytest.raises(ValueError):
        from_plain(Tree, values)


def test_names_the_place_of_an_impossible_stone():
    values = to_plain(a_card())
    values["typical"] |= {"carat": -1.0}
    with pytest.raises(ValueError, match=r"/typical: carat: must be"):
        from_plain(ModelCard, values)


def test_refuses_a_time_without_a_zone():
    with pytest.raises(ValueError, match=r"^/at must have a time zone$"):
        from_plain(Tree, {"count": 1, "at": "2026-01-02T12:00:00"})


@pytest.mark.parametrize("id", ["../../etc", "", "A", "a" * 81])
def test_refuses_an_id_that_can_name_no_model(id):
    with pytest.raises(ValueError, match=r"^/id: "):
        from_plain(ModelCard, to_plain(CARD) | {"id": id})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"damaged",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b"\x00" * 64,
        b"[" * 100_000,
        b'{"count": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda data: str(data[:12]),
)
def test_refuses_what_is_no_json_object(data):
    with pytest.raises(ValueError):
        decode(Tree, data)


@given(st.sampled_from([each.name for each in dataclasses.fields(ModelCard)]), plain)
def test_reads_or_refuses_a_card_whatever_one_of_its_values_is(name, value):
    values = json.loads(json.dumps(to_plain(CARD) | {name: value}))
    try:
        card = from_plain(ModelCard, values)
    except ValueError:
        return
    assert decode(ModelCard, encode(card)) == card
