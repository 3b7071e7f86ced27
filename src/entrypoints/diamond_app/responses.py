"""The answers of the service and the command line: their JSON and its description.

Each class is an answer or a part of one. The OpenAPI document uses its docstring and the
``described`` texts of its fields.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from diamond_core import FIELDS
from diamond_core.codec import to_plain
from diamond_core.stones.fields import GRADES, NUMBERS, REQUIRED, Field, GradeField

if TYPE_CHECKING:
    import diamond_core


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
        return cls(card.id, card.family, time_text(card.created_at))


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
    microseconds_per_stone: Annotated[
        float | None,
        described("How long one price takes, in microseconds; null in models of before.", 62.5),
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
    note: Annotated[str, described("What its trainer wrote about it.", "with the March stones")]
    tags: Annotated[
        dict[str, str], described("What its trainer sorts models by.", {"ticket": "417"})
    ]
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
def time_text(at: datetime) -> str:
    """Return a time as answers have it."""
    return at.isoformat()
