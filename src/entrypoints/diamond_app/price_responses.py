"""The answers about prices and similar stones; see ``responses``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeAlias, cast

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType

from diamond_app.responses import (
    EXCHANGE_ID,
    STONE,
    FieldError,
    ModelName,
    PriceRange,
    described,
    encode,
    field_type,
)
from diamond_core import FIELDS
from diamond_core.codec import escaped, to_plain
from diamond_core.models.explanation import PROPERTIES
from diamond_core.stones.diamond_table import DTYPE
from diamond_core.stones.fields import GRADES, NUMBERS, OPTIONAL, PRICE
from diamond_core.use_cases.price_diamonds import COMBINATION, Remark

if TYPE_CHECKING:
    import diamond_core

    _Measurement: TypeAlias = str
    _Outside: TypeAlias = str
    _Property: TypeAlias = str
else:
    _Measurement, _Outside = Literal[OPTIONAL], Literal[(*NUMBERS, COMBINATION, PRICE.name)]
    _Property = Literal[PROPERTIES]


class Contribution(Struct, frozen=True):
    """What one property of a stone adds to the price of another stone."""

    what: Annotated[
        _Property,
        described("The property; measurements are all of them together.", "carat"),
    ]
    amount: Annotated[float, described("What it adds, in USD; below zero: it takes.", 2811.5)]


class Explanation(Struct, frozen=True):
    """Why a stone has its price: *base* and all amounts add up to *price*, to the cent."""

    base: Annotated[
        float, described("The price of the stone that it is compared with, in USD.", 2400.0, gt=0)
    ]
    contributions: Annotated[
        list[Contribution],
        described("What each property adds.", [{"what": "carat", "amount": 2811.5}]),
    ]
    sentence: Annotated[
        str,
        described("The same in words.", "The typical stone costs $2,400; this weight adds $2,812."),
    ]
    compared_with: Annotated[
        dict[str, Any],
        described("The stone that it is compared with; unknown measurements are null.", STONE),
    ]
    is_typical: Annotated[
        bool,
        described(
            "Whether that stone is the typical one of the training data: it has the median weight"
            " and the most common grades.",
            True,
        ),
    ]

    @classmethod
    def of(cls, found: diamond_core.Explanation) -> Self:
        """Return the answer for an explanation."""
        return cls(
            found.base,
            [Contribution(each.what, each.amount) for each in found.contributions],
            found.sentence(),
            to_plain(found.compared_with),
            found.is_typical,
        )


class Prediction(Struct, frozen=True):
    """What a stone is worth."""

    id: Annotated[str, described("This prediction's id, for questions about it.", EXCHANGE_ID)]
    price: Annotated[float, described("The predicted price, in USD.", 4608.99, gt=0)]
    currency: Annotated[Literal["USD"], described("Always USD.", "USD")]
    price_per_carat: Annotated[float, described("Price / carat, in USD.", 4189.99, ge=0)]
    price_range: PriceRange
    model: ModelName
    assumed: Annotated[
        list[_Measurement],
        described("Measurements that were not given.", ["depth", "table", "x", "y", "z"]),
    ]
    outside_training_range: Annotated[
        list[_Outside],
        described(
            "Numbers outside the training range; combination: no stone of about this weight and these"
            " grades was seen in training; price: no known stone is as dear. The price is then less"
            " reliable, and its range wider.",
            [],
        ),
    ]
    warning: Annotated[
        str | None, described("The same in a sentence; null: there is nothing to say.", None)
    ]
    explanation: Annotated[
        Explanation | UnsetType,
        described("Why it has this price; present only if that was asked for."),
    ] = UNSET

    @classmethod
    def of(cls, prediction: diamond_core.Prediction, id: str, carat: float) -> Self:
        """Return the answer for the prediction *id* of a stone."""
        card = prediction.card
        why = prediction.explanation
        return cls(
            id,
            prediction.price,
            "USD",
            round(prediction.price / carat * 100.0) / 100.0,
            PriceRange(prediction.low, prediction.high, card.price_ranges.coverage),
            ModelName.of(card),
            prediction.assumed,
            prediction.outside,
            prediction.warning,
            UNSET if why is None else Explanation.of(why),
        )


class Predictions(Struct, frozen=True):
    """What each stone is worth."""

    predictions: Annotated[
        list[Prediction | None],
        described("In the order of the request; null for an invalid stone that is reported."),
    ]
    errors: Annotated[
        list[FieldError] | UnsetType,
        described("What is wrong with the reported stones; present only if there are any."),
    ] = UNSET

    @classmethod
    def of(
        cls,
        predictions: diamond_core.Predictions,
        id: str,
        wrong: Mapping[int, Sequence[tuple[str, str]]] = MappingProxyType({}),
    ) -> Self:
        """Return a ``Prediction`` for each stone, with ids ``<id>-0``, ``<id>-1``, ...

        *wrong* has the errors of the invalid stones, as (pointer, detail), by their index. The
        predictions are encoded already: from columns, without an object for each stone.
        """
        prices = predictions.prices
        count = len(prices) + len(wrong)
        good = [number for number in range(count) if number not in wrong]
        per_carat = np.round(prices / predictions.table.carat, 2)
        numbers = (prices, per_carat, predictions.lows, predictions.highs)
        columns = [good, *(each.tolist() for each in numbers)]
        first, *between, _ = _parts(predictions.card, id, Remark([], [], None))
        starts = [[first] * len(good), *([part] * len(good) for part in between)]
        for position in np.flatnonzero(np.diff(good, prepend=-1) > 1).tolist() if wrong else ():
            before = good[position - 1] + 1 if position else 0
            starts[0][position] = b"null," * (good[position] - before) + first
        remarks, which = predictions.remarks()
        ends = [_parts(predictions.card, id, each)[-1] + b"," for each in remarks]
        width = 2 * len(columns) + 1
        pieces = [b""] * (width * len(good))
        for at, (start, column) in enumerate(zip(starts, columns, strict=True)):
            pieces[2 * at :: width] = start
            pieces[2 * at + 1 :: width] = encode(column)[1:-1].split(b",") if column else []
        pieces[width - 1 :: width] = map(ends.__getitem__, which.tolist())
        pieces.append(b"null," * (count - (good[-1] + 1 if good else 0)))
        encoded = msgspec.Raw(b"[%b]" % b"".join(pieces)[:-1])
        errors = [
            FieldError(escaped(pointer), escaped(detail))
            for each in wrong.values()
            for pointer, detail in each
        ]
        return cls(cast("list[Prediction | None]", encoded), errors or UNSET)


_HOLE: Final = b"\0"
"""Where a number belongs in an encoded prediction: JSON never has this byte."""


def _parts(card: diamond_core.ModelCard, id: str, remark: Remark) -> list[bytes]:
    """Return an encoded ``Prediction`` of a batch without its numbers, split where they belong.

    They are: its number, price, price per carat, and the low and the high end of its range.
    """
    hole: Any = msgspec.Raw(_HOLE)
    prediction = Prediction(
        msgspec.Raw(encode(f"{id}-")[:-1] + _HOLE + b'"'),  # type: ignore[arg-type]  # it is a text
        hole,
        "USD",
        hole,
        PriceRange(hole, hole, card.price_ranges.coverage),
        ModelName.of(card),
        *remark,
    )
    return encode(prediction).split(_HOLE)


SimilarStone: Any = msgspec.defstruct(
    "SimilarStone",
    [
        *((name, field_type(each)) for name, each in FIELDS.items()),
        (PRICE.name, field_type(PRICE)),
        (
            "carat_difference",
            Annotated[float, described("Its weight minus the requested weight, in carats.", 0.01)],
        ),
        (
            "price_distance",
            Annotated[
                float | UnsetType,
                described(
                    "How far it is in price terms: the sum of the changes of the model's log price"
                    " by its weight and each of its grades. Only with grades=near.",
                    0.042,
                ),
            ],
            UNSET,
        ),
    ],
    namespace={
        "__doc__": "A stone with a known price. Unknown measurements are null.",
    },
    frozen=True,
)
_GRADE_COLUMNS: Final = tuple(
    (position, GRADES[name].names)
    for position, name in enumerate(DTYPE.names or ())
    if name in GRADES
)
"""The position of each grade in a row of a table, and the grades' names by number."""


class SimilarDiamonds(Struct, frozen=True):
    """Known stones of the same cut, color and clarity, or of grades near them."""

    diamonds: Annotated[
        list[SimilarStone],
        described("Nearest weight first; with grades=near, nearest in price terms first."),
    ]
    count: Annotated[int, described("How many are shown.", 5, ge=0)]
    available: Annotated[int, described("How many there are of these grades.", 73, ge=0)]

    @classmethod
    def of(cls, similar: diamond_core.Similar) -> Self:
        """Return the answer for the similar stones that were found."""
        rows = map(list, similar.stones.rows_of_today().tolist())
        distances: Sequence[float | UnsetType]
        distances = similar.price_distances or [UNSET] * len(similar.stones)
        stones = []
        found = zip(rows, similar.carat_differences, distances, strict=True)
        for cells, difference, distance in found:
            for position, names in _GRADE_COLUMNS:
                cells[position] = names.get(cells[position])
            # an unknown number is NaN: null in JSON
            stones.append(SimilarStone(*cells, difference, distance))
        return cls(stones, len(stones), similar.available)
