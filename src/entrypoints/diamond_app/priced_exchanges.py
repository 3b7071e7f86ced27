"""Read the stones and prices in recorded exchanges: the inverse of ``api.predictions`` and ``api.explanations``."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from diamond_adapters.sources.csv_rows import CsvRows
from diamond_app.api.explanations import Explanations
from diamond_app.api.payloads import (
    REFUSED,
    decode_batch,
    read_stone_to_explain,
    read_stone_to_price,
    stones_from_json,
    values_of,
)
from diamond_app.api.predictions import ManyPredictions, OnePrediction
from diamond_app.api.problems import Problem
from diamond_app.priced_rows import ADDED
from diamond_core import DiamondError, DiamondTable, Exchange, PricedStones, clean
from diamond_core.stones.fields import FIELDS

_STONES_AT_ONCE: Final = 10_000

_Stone = tuple[Any, ...]
"""The values of a stone, in the order of the fields."""
_Price = tuple[str, float, float, float]
"""The id of a prediction, its price, and the ends of its range."""


class _Range(Struct):
    low: float
    high: float


class _Answer(Struct):
    id: str
    price: float
    price_range: _Range


class _Answers(Struct):
    predictions: list[_Answer | None]


_decode_answer: Final = msgspec.json.Decoder(_Answer).decode
_decode_answers: Final = msgspec.json.Decoder(_Answers).decode
_decode_any: Final = msgspec.json.Decoder().decode


def read_priced(exchanges: Iterable[Exchange]) -> Iterator[PricedStones]:
    """Yield the stones and prices in *exchanges*; see ``diamond_core.ReadPriced``."""
    rows: list[_Stone] = []
    for exchange in exchanges:
        read = _READERS.get(exchange.path)
        if read is None or exchange.status != 200 or exchange.method != "POST":
            continue
        if exchange.request_truncation or exchange.response_truncation:
            continue
        common = (
            exchange.occurred_at.replace(tzinfo=None),
            exchange.model_id,
            exchange.key_name,
        )
        try:
            rows += [(*stone, *price, *common) for stone, price in read(exchange)]
        except (*REFUSED, Problem, DiamondError):  # as another version recorded it
            continue
        if len(rows) >= _STONES_AT_ONCE:
            yield _priced(rows)
            rows = []
    if rows:
        yield _priced(rows)


def _priced(rows: list[_Stone]) -> PricedStones:
    columns = list(zip(*rows, strict=True))
    stones = dict(zip(FIELDS, columns, strict=False))
    ids, prices, lows, highs, times, models, keys = columns[len(FIELDS) :]
    return PricedStones(
        table=DiamondTable.of_stored(stones),
        ids=np.array(ids, dtype=object),
        times=np.array(times, dtype="M8[us]"),
        models=np.array(models, dtype=object),
        keys=np.array(keys, dtype=object),
        prices=np.array(prices),
        lows=np.array(lows),
        highs=np.array(highs),
    )


def _read_one(exchange: Exchange) -> list[tuple[_Stone, _Price]]:
    stone, _ = read_stone_to_price(exchange.request_body)
    return [(values_of(stone), _price(_decode_answer(exchange.response_body)))]


def _read_explained(exchange: Exchange) -> list[tuple[_Stone, _Price]]:
    stone, _ = read_stone_to_explain(exchange.request_body)
    return [(values_of(stone), _price(_decode_answer(exchange.response_body)))]


def _read_many(exchange: Exchange) -> list[tuple[_Stone, _Price]]:
    if exchange.headers.get("Content-Type", "").lstrip().lower().startswith("text/csv"):
        return _read_csv(exchange)
    body = exchange.request_body
    answers = _decode_answers(exchange.response_body).predictions
    try:
        stones = [values_of(each) for each in decode_batch(body).diamonds]
    except REFUSED:
        table, wrong = stones_from_json(_decode_any(body))
        stones = _rows_of(table)
        answers = [each for at, each in enumerate(answers) if at not in wrong]
    # a valid stone has no price if the model knew nothing of its weight
    pairs = zip(stones, answers, strict=True)
    return [(stone, _price(answer)) for stone, answer in pairs if answer is not None]


def _read_csv(exchange: Exchange) -> list[tuple[_Stone, _Price]]:
    """Read the answer, which has the columns of the request."""
    found: list[tuple[_Stone, _Price]] = []
    rows = CsvRows("the CSV", io.BytesIO(exchange.response_body))
    number = 0
    while (raw := rows.take(_STONES_AT_ONCE)) is not None:
        cleaned = clean(raw, priced=False)
        rejected = {row.line for row in cleaned.rejected}
        stones = iter(_rows_of(cleaned.table))
        for line, cells in raw.delivered:
            price, low, high, error, _ = map(str, cells[-len(ADDED) :])
            if line not in rejected:
                stone = next(stones)
                if not error:
                    id = f"{exchange.id}-{number}"
                    found.append((stone, (id, float(price), float(low), float(high))))
            number += 1
    return found


def _price(answer: _Answer) -> _Price:
    return answer.id, answer.price, answer.price_range.low, answer.price_range.high


def _rows_of(table: DiamondTable) -> list[_Stone]:
    return list(zip(*(table.values(name) for name in FIELDS), strict=True))


_READERS: Final[dict[str, Callable[[Exchange], list[tuple[_Stone, _Price]]]]] = {
    OnePrediction.path: _read_one,
    Explanations.path: _read_explained,
    ManyPredictions.path: _read_many,
}
"""Path of a recorded exchange -> the function that reads its stones and prices."""
