"""The outcome of a prediction: the price that was really paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from diamond_core.stones.diamond import Diamond


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The price that was paid for a stone, beside the price that was predicted.

    An outcome is never changed: a later one of the same prediction, with the next number, corrects
    it. It contains what is known about the prediction, so that it outlives the exchange.

    Attributes:
        id: the prediction's id.
        number: 1 for the prediction's first outcome, then 2, 3, ...
        price_paid: in USD.
        paid_on: the day on which it was paid.
        note: what the caller wrote about it.
        reported_at: when it was reported, in UTC.
        key_name: the name of the API key that reported it; who imported it; '' if nobody is known.
        diamond: the stone.
        model_id: the model that priced it.
        predicted, low, high: the predicted price and its range, in USD.
    """

    id: str
    number: int
    price_paid: float
    paid_on: date
    note: str = ""
    reported_at: datetime
    key_name: str = ""
    diamond: Diamond
    model_id: str
    predicted: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """The predicted price minus the price paid, in USD."""
        return self.predicted - self.price_paid

    @property
    def in_range(self) -> bool:
        """Whether the price paid is in the price range."""
        return self.low <= self.price_paid <= self.high


def current(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield the last outcome of each prediction, of outcomes in the order of id and number."""
    for _, some in groupby(outcomes, attrgetter("id")):
        *_, last = some
        yield last
