"""The answers of the service and the command line: their JSON and its description.

Each class is an answer or a part of one. The OpenAPI document uses its docstring and the
``described`` texts of its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeAlias

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType

from diamond_adapters.requests.body_text import to_text
from diamond_core import FIELDS
from diamond_core.codec import escaped, to_plain
from diamond_core.models.explanation import PROPERTIES
from diamond_core.stones.diamond_table import DTYPE
from diamond_core.stones.fields import GRADES, NUMBERS, OPTIONAL, PRICE, REQUIRED, Field, GradeField
from diamond_core.use_cases.price_diamonds import COMBINATION

if TYPE_CHECKING:
    import diamond_core

    _Measurement: TypeAlias = str
    _Outside: TypeAlias = str
    _Property: TypeAlias = str
else:
    _Measurement, _Outside = Literal[OPTIONAL], Literal[(*NUMBERS, COMBINATION, PRICE.name)]
    _Property = Literal[PROPERTIES]

STONE: Final = {name: FIELDS[name].example for name in REQUIRED}
"""An example stone with the required fields only."""
FULL_STONE: Final = {name: each.example for name, each in FIELDS.items()}
MODEL_ID: Final = "xgboost-20261123-142233-9f3a1c"
EXCHANGE_ID: Final = "18ea9846f04c237630ad568397b5eb71"
TIME: Final = "2026-11-23T14:22:33.000000+00:00"


def _plain(value: object) -> str:
    if isinstance(value, str):  # such as a ModelId
        return str(value)
    raise NotImplementedError(f"{type(value)} can't be encoded as JSON")


encode: Final = msgspec.json.Encoder(enc_hook=_plain).encode
"""Encode an answer, or JSON values, as bytes."""


def encode_line(value: object) -> bytes:
    """Encode an answer as a line, so that a terminal's prompt comes after it."""
    return encode(value) + b"\n"


def described(description: str, *examples: Any, **more: Any) -> Meta:
    """Describe a field for the OpenAPI document: in words, by examples and limits."""
    limits = {name: more.pop(name) for name in ("gt", "ge", "le", "pattern") if name in more}
    extra = more or None
    return Meta(description=description, examples=list(examples), extra_json_schema=extra, **limits)


def field_type(field: Field) -> Any:
    """Return the type of a stone's field; an optional field can be None."""
    kind: Any
    if isinstance(field, GradeField):
        words = f"{field.about} Case and spaces do not matter."
        kind = Annotated[type(field.example), described(words, field.example.value)]
    else:
        limits = described(field.about, field.example, ge=field.minimum, le=field.maximum)
        kind = Annotated[float, limits]
    return kind if field.required else kind | None


_TrainedAt = Annotated[str, described("When it was trained (UTC).", TIME, format="date-time")]
_Id = Annotated[str, described("The model's id.", MODEL_ID)]
_Family = Annotated[str, described("The kind of model.", "xgboost")]


class FieldError(Struct, frozen=True):
    """One invalid value."""

    pointer: Annotated[str, described("Where it is: a JSON pointer (RFC 6901).", "/carat")]
    detail: Annotated[str, described("What it must be.", "is missing: give the weight in carats")]


class PriceRange(Struct, frozen=True):
    """The range that contains the true price in a share ``coverage`` of all cases."""

    low: Annotated[float, described("Its lower end, in USD.", 3851.43, gt=0)]
    high: Annotated[float, described("Its upper end, in USD.", 5515.55, gt=0)]
    coverage: Annotated[float, described("The share of true prices inside.", 0.9, ge=0, le=1)]


class ModelName(Struct, frozen=True):
    """A model: its id, its family and its training time."""

    id: _Id
    family: _Family
    trained_at: _TrainedAt

    @classmethod
    def of(cls, card: diamond_core.ModelCard) -> Self:
        """Return the answer for the model of a card."""
        return cls(card.id, card.family, _time_text(card.created_at))


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

        *wrong* has the errors of the invalid stones, as (pointer, detail), by their index.
        """
        model = ModelName.of(predictions.card)
        coverage = predictions.card.price_ranges.coverage
        columns = (
            predictions.prices.tolist(),
            np.round(predictions.prices / predictions.table.carat, 2).tolist(),
            predictions.lows.tolist(),
            predictions.highs.tolist(),
            predictions.assumed(),
            predictions.outside(),
            predictions.warnings(),
        )
        numbers = range(len(predictions) + len(wrong))
        good = [number for number in numbers if number not in wrong] if wrong else numbers
        priced: list[Prediction | None] = [
            Prediction(
                f"{id}-{number}",
                price,
                "USD",
                per_carat,
                PriceRange(low, high, coverage),
                model,
                assumed,
                outside,
                warning,
            )
            for number, price, per_carat, low, high, assumed, outside, warning in zip(
                good, *columns, strict=True
            )
        ]
        for number in sorted(wrong):
            priced.insert(number, None)
        errors = [
            FieldError(escaped(pointer), escaped(detail))
            for each in wrong.values()
            for pointer, detail in each
        ]
        return cls(priced, errors or UNSET)


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


class Metrics(Struct, frozen=True):
    """Errors on the hold-out: stones that no model was trained on."""

    mae: Annotated[float, described("Mean absolute error, in USD.", 270.5)]
    rmse: Annotated[float, described("Root mean squared error, in USD.", 530.2)]
    mape: Annotated[float, described("Mean absolute percentage error; 0.08 is 8 %.", 0.08)]
    r2: Annotated[float, described("Share of the price's variance explained; 1 is perfect.", 0.982)]
    worst_decile: Annotated[
        float, described("The largest mean absolute error of ten groups by price, in USD.", 1010.0)
    ]


class TrainingData(Struct, frozen=True):
    """What a model was trained on."""

    source: Annotated[str, described("Where the stones came from.", "bundled diamonds")]
    digest: Annotated[str, described("A digest of the data.", "3e0cef2397f17181")]
    rows: Annotated[int, described("Rows read.", 53940, ge=0)]
    rejected: Annotated[int, described("Rows that can't be used.", 64, ge=0)]
    training_rows: Annotated[int, described("Stones trained on.", 43131, ge=0)]
    holdout_rows: Annotated[int, described("Stones held out.", 10745, ge=0)]
    priced_since: Annotated[
        str, described("The first day of its prices; empty: they have no dates.", "2008-07-01")
    ]
    priced_until: Annotated[str, described("The last day of its prices.", "2008-07-01")]
    priced_as: Annotated[
        str,
        described(
            "Which stones are priced, and at prices of when.",
            "Round, natural, polished; at 2008 prices.",
        ),
    ]


class ModelCard(Struct, frozen=True):
    """Everything that is known about a trained model."""

    id: _Id
    family: _Family
    features: Annotated[list[str], described("The fields that it uses.", list(FIELDS))]
    created_at: _TrainedAt
    seed: Annotated[int, described("The random seed.", 0)]
    seconds: Annotated[float, described("How long the training took.", 24.1, ge=0)]
    trials: Annotated[
        int | None,
        described("The requested number of tuning trials; null: the family decides.", 100),
    ]
    metrics: Metrics
    metrics_four_cs: Metrics
    inversions: Annotated[
        dict[str, float],
        described(
            "For each of the 4 Cs, the share of steps to a better stone that lower the price, from the"
            " 4 Cs alone; empty in models of before.",
            {"carat": 0.0, "cut": 0.0, "color": 0.0, "clarity": 0.0},
        ),
    ]
    inversions_measured: Annotated[
        dict[str, float],
        described(
            "The same for the hold-out with all its measurements.",
            {"cut": 0.01, "color": 0.0, "clarity": 0.0},
        ),
    ]
    coverage: Annotated[float, described("The share of hold-out prices in the price range.", 0.902)]
    coverage_by_quintile: Annotated[
        list[float],
        described("The same for five groups by actual price, the cheapest first.", [0.91, 0.89]),
    ]
    coverage_by_predicted_quintile: Annotated[
        list[float], described("The same by predicted price.", [0.9, 0.9])
    ]
    price_ranges: Annotated[dict[str, Any], described("How price ranges are made.", {})]
    training_range: Annotated[
        dict[str, list[float]],
        described(
            "For each number, the minimum and the maximum among the training stones.",
            {"carat": [0.2, 5.01]},
        ),
    ]
    typical: Annotated[
        dict[str, Any] | None,
        described(
            "The typical training stone: the median weight and the most common grades; null in"
            " models of before.",
            STONE,
        ),
    ]
    profile: Annotated[
        dict[str, Any] | None,
        described(
            "How often each value occurs among the training stones; null in models of before.", None
        ),
    ]
    data: TrainingData
    comparison: Annotated[
        dict[str, Any] | None,
        described(
            "Comparison with the champion of that time on the same stones; null: none.", None
        ),
    ]
    details: Annotated[dict[str, Any], described("Details from the model family.", {})]
    files: Annotated[
        dict[str, str],
        described(
            "File name to SHA-256; a file that differs is not loaded.", {"model.onnx": "9f3a"}
        ),
    ]
    version: Annotated[str, described("The version of diamond-core that trained it.", "0.1.0")]
    schema: Annotated[int, described("The version of the card.", 1, ge=0)]

    @classmethod
    def of(cls, card: diamond_core.ModelCard) -> Self:
        """Return the answer for a card."""
        plain = to_plain(card)
        plain["data"]["priced_as"] = card.data.priced_as()
        return msgspec.convert(plain, cls)


class DamagedModel(Struct, frozen=True):
    """A model whose card can't be read."""

    id: _Id
    problem: Annotated[str, described("What is wrong.", "it has no card.json")]


class Models(Struct, frozen=True):
    """The history of models."""

    models: Annotated[list[ModelCard], described("The models, newest first.")]
    champion: Annotated[str | None, described("The id of the champion.", MODEL_ID)]
    damaged: Annotated[list[DamagedModel], described("Models whose card can't be read.", [])]
    next: Annotated[
        str | None, described("The 'before' of the next page; null: this is the last.", MODEL_ID)
    ]


class Promoted(Struct, frozen=True):
    """The new champion."""

    champion: ModelName


class Alive(Struct, frozen=True):
    """The process answers."""

    status: Annotated[Literal["ok"], described("Always ok.", "ok")]


class Readiness(Struct, frozen=True):
    """Whether stones can be priced."""

    status: Annotated[
        Literal["ok", "degraded"],
        described("degraded: prices work, but something needs attention.", "ok"),
    ]
    model: ModelName
    problems: Annotated[list[str], described("What needs attention.", [])]


class Problem(Struct, frozen=True):
    """What went wrong, as a problem document (RFC 9457)."""

    type: Annotated[str, described("Always about:blank; see the status.", "about:blank")]
    title: Annotated[str, described("The kind of problem.", "Some values are invalid")]
    status: Annotated[int, described("The HTTP status.", 422)]
    detail: Annotated[str, described("What is wrong and what to do.", "one value is invalid")]
    instance: Annotated[str, described("The path that was called.", "/v1/predictions")]
    request_id: Annotated[str, described("The request's id; quote it to support.", EXCHANGE_ID)]
    errors: Annotated[
        list[FieldError] | UnsetType,
        described("All invalid values; present only if there are any."),
    ] = UNSET


class Truncation(Struct, frozen=True):
    """A body of which the request log keeps only the beginning."""

    bytes: Annotated[int, described("The size of the complete body.", 16_000_000, ge=0)]
    sha256: Annotated[str, described("Its SHA-256; empty: unknown.", "9f3a")]

    @classmethod
    def of(cls, truncation: diamond_core.Truncation | None) -> Self | UnsetType:
        """Return the answer for a truncation."""
        return UNSET if truncation is None else cls(truncation.bytes, truncation.sha256)


_Truncation = Annotated[
    Truncation | UnsetType, described("Present only if the body here is just its beginning.")
]
_Encoding = Annotated[
    Literal["utf-8", "base64"] | UnsetType, described("How the body is written.", "utf-8")
]


class Exchange(Struct, frozen=True, kw_only=True):
    """A request and its response; the bodies only if requested."""

    id: Annotated[
        str,
        described("The exchange's own id and its prediction's; sorts by time.", EXCHANGE_ID),
    ]
    request_id: Annotated[
        str,
        described(
            "The X-Request-ID: chosen by the caller, who can use it more than once.", "order-4711"
        ),
    ]
    occurred_at: Annotated[
        str, described("When the request arrived (UTC).", TIME, format="date-time")
    ]
    method: Annotated[str, described("The method.", "POST")]
    path: Annotated[str, described("The path.", "/v1/predictions")]
    query: Annotated[str, described("The query string, without '?'.", "")]
    headers: Annotated[
        dict[str, str], described("Some of the request's headers.", {"User-Agent": "curl/8.5"})
    ]
    client: Annotated[str, described("The caller's address.", "127.0.0.1")]
    key_name: Annotated[str, described("The name of the key that was used; empty: none.", "shop")]
    status: Annotated[int, described("The response's HTTP status.", 200)]
    duration_ms: Annotated[float, described("How long it took, in milliseconds.", 0.412, ge=0)]
    model_id: Annotated[str, described("The model that priced; empty: none.", MODEL_ID)]
    request_truncation: _Truncation = UNSET
    response_truncation: _Truncation = UNSET
    request_encoding: _Encoding = UNSET
    request_body: Annotated[
        str | UnsetType, described("The request's body, unchanged.", '{"carat": 1.1}')
    ] = UNSET
    response_encoding: _Encoding = UNSET
    response_body: Annotated[
        str | UnsetType, described("The response's body, unchanged.", '{"price": 4608.99}')
    ] = UNSET

    @classmethod
    def of(cls, exchange: diamond_core.Exchange, *, bodies: bool, **more: Any) -> Self:
        """Return an exchange as JSON values.

        A UTF-8 body is given as text, any other as base64; its encoding says which.
        """
        if bodies:
            for name in ("request", "response"):
                encoding, text = to_text(getattr(exchange, f"{name}_body"))
                more |= {f"{name}_encoding": encoding, f"{name}_body": text}
        return cls(
            id=exchange.id,
            request_id=exchange.request_id,
            occurred_at=exchange.occurred_at.isoformat(timespec="microseconds"),
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            headers={escaped(name): escaped(value) for name, value in exchange.headers.items()},
            client=exchange.client,
            key_name=exchange.key_name,
            status=exchange.status,
            duration_ms=exchange.duration_ms,
            model_id=exchange.model_id,
            request_truncation=Truncation.of(exchange.request_truncation),
            response_truncation=Truncation.of(exchange.response_truncation),
            **more,
        )


class Exchanges(Struct, frozen=True):
    """A page of the request log, newest first."""

    requests: Annotated[list[Exchange], described("The exchanges.")]
    next: Annotated[
        str | None, described("The 'before' of the next page; null: this is the last.", EXCHANGE_ID)
    ]


class FoundExchange(Exchange, frozen=True, kw_only=True):
    """An exchange with its bodies, and the others with the wanted X-Request-ID."""

    others: Annotated[
        list[Exchange], described("Others with the wanted X-Request-ID, newest first.", [])
    ]

    @classmethod
    def of_all(cls, found: Sequence[diamond_core.Exchange]) -> Self:
        """Return the first of *found* with its bodies, and the others without."""
        first, *others = found
        return cls.of(
            first, bodies=True, others=[Exchange.of(each, bodies=False) for each in others]
        )


class Grade(Struct, frozen=True):
    """A grade of a scale."""

    grade: Annotated[str, described("Its spelling in requests and answers.", "Ideal")]
    meaning: Annotated[str, described("What it means.", "The most brilliant cut.")]


class NumberField(Struct, frozen=True):
    """A number that describes a stone."""

    label: Annotated[str, described("Its display name.", "Carat")]
    about: Annotated[str, described("What it means.", "The weight in carats.")]
    unit: Annotated[str, described("Its unit.", "ct")]
    minimum: Annotated[float, described("The minimum value.", 0.001)]
    maximum: Annotated[float, described("The maximum value.", 1000.0)]
    required: Annotated[bool, described("Whether it is required; if not, it can be unknown.", True)]


class Scale(Struct, frozen=True):
    """A scale of grades that describes a stone."""

    label: Annotated[str, described("Its display name.", "Cut")]
    about: Annotated[str, described("What it means.", "How well the stone is cut.")]
    required: Annotated[bool, described("Whether it is required; if not, it can be unknown.", True)]


Grades: Any = msgspec.defstruct(
    "Grades",
    [
        *(
            (name, Annotated[list[Grade], described(f"{each.about} The worst grade first.")])
            for name, each in GRADES.items()
        ),
        ("fields", Annotated[dict[str, NumberField], described("The numbers, by field.")]),
        ("scales", Annotated[dict[str, Scale], described("The scales of grades, by field.")]),
    ],
    namespace={"__doc__": "The fields that describe a stone: enough to build a form."},
    frozen=True,
)


@lru_cache(maxsize=1)
def grades() -> Any:
    """Return the scales with the meaning of each grade, and the numbers with unit and limits."""
    return Grades(
        *(
            [Grade(str(grade), meaning) for grade, meaning in each.meanings.items()]
            for each in GRADES.values()
        ),
        {
            name: NumberField(
                each.label, each.about, each.unit, each.minimum, each.maximum, each.required
            )
            for name, each in NUMBERS.items()
        },
        {name: Scale(each.label, each.about, each.required) for name, each in GRADES.items()},
    )


@lru_cache(maxsize=8)
def _time_text(at: datetime) -> str:
    return at.isoformat()
