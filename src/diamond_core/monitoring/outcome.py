"""The outcome of a prediction: the price that was really paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, Self

from diamond_core.errors import FieldProblem, ImplausibleOutcome, InvalidOutcome
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.fields import PRICE, invalid, is_blank, missing
from diamond_core.stones.stone_records import FIRST_DAY, as_date, last_day

FACTOR: Final = 10.0
"""A price paid that differs by more than this factor from the prediction is taken for a mistake."""

_MAXIMUM_NOTE: Final = 1000
_FIELDS: Final = ("price_paid", "date", "note")


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
        key_name: the name of the API key that reported it, or who imported it; '' if unknown.
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
        return round(self.predicted - self.price_paid, 2)

    @property
    def in_range(self) -> bool:
        """Whether the price paid is in the price range."""
        return self.low <= self.price_paid <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """What a caller reports about the prediction *id*; None: the caller does not say."""

    id: str
    price_paid: float
    paid_on: date | None = None
    note: str | None = None

    @classmethod
    def parse(
        cls, id: str, values: Mapping[str, object], today: date, *, text: bool = False
    ) -> Self:
        """Create a report from plain *values*: ``price_paid``, and optionally ``date`` and ``note``.

        With *text*, the price can be written as text, and a blank text is no value.

        Raises:
            InvalidOutcome: names all missing, unknown or invalid fields.
        """
        problems = [
            FieldProblem(str(name), f"is not a field of an outcome; these are {', '.join(_FIELDS)}")
            for name in values
            if name not in _FIELDS
        ]
        given = {n: v for n, v in values.items() if not is_blank(v, text=text)}
        price = PRICE.read(given["price_paid"], text=text) if "price_paid" in given else None
        if "price_paid" not in given:
            problems.append(FieldProblem("price_paid", missing(PRICE)))
        elif price is None:
            detail = invalid(PRICE, given["price_paid"], text=text)
            problems.append(FieldProblem("price_paid", detail))
        day = as_date(given["date"]) if "date" in given else None
        last = last_day(today)
        if "date" in given and (day is None or not FIRST_DAY <= day <= last):
            detail = f"must be a day from {FIRST_DAY} to {last}, such as '{today}'"
            problems.append(FieldProblem("date", detail))
        note = given.get("note")
        if note is not None and not (isinstance(note, str) and len(note) <= _MAXIMUM_NOTE):
            problems.append(
                FieldProblem("note", f"must be a text of at most {_MAXIMUM_NOTE:,} characters")
            )
        if problems or price is None:
            raise InvalidOutcome(problems)
        return cls(
            id=id, price_paid=price, paid_on=day, note=note if isinstance(note, str) else None
        )

    def repeats(self, outcome: Outcome) -> bool:
        """Return whether *outcome* says all that this report says."""
        return (
            self.price_paid == outcome.price_paid
            and self.paid_on in (None, outcome.paid_on)
            and self.note in (None, outcome.note)
        )

    def check(self, predicted: float) -> None:
        """Check the price against the *predicted* one.

        Raises:
            ImplausibleOutcome: it is so far away that it must be a mistake.
        """
        if not 1.0 / FACTOR <= self.price_paid / predicted <= FACTOR:
            raise ImplausibleOutcome(self.price_paid, predicted, FACTOR)


def current(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield the last outcome of each prediction, of outcomes in the order of id and number."""
    for _, some in groupby(outcomes, attrgetter("id")):
        *_, last = some
        yield last
