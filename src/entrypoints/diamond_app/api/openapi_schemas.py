"""The shapes of requests and responses for the OpenAPI document, from the domain's own tables."""

from __future__ import annotations

from typing import Any, Final

from diamond_app.api.problems import CONTENT_TYPE, TITLES
from diamond_core.stones.fields import FIELDS, NUMBERS, OPTIONAL, PRICE, REQUIRED, GradeField

Schema = dict[str, Any]

STONE: Final = {name: FIELDS[name].example for name in REQUIRED}
MODEL_ID: Final = "xgboost-20261123-142233-9f3a1c"
_REQUEST_ID: Final = "18ea9846f04c237630ad568397b5eb71"
_TIME: Final = "2026-11-23T14:22:33.000000+00:00"
_EXAMPLES: Final[dict[str, Any]] = {name: each.example for name, each in FIELDS.items()}


def field(name: str, *, optional_as_null: bool = False) -> Schema:
    """Return the schema of one of a stone's fields."""
    each = PRICE if name == PRICE.name else FIELDS[name]
    null = optional_as_null and not each.required
    if isinstance(each, GradeField):
        grades: list[str | None] = [str(grade) for grade in each.grades]
        about = f"{each.about} Upper and lower case and spaces do not matter."
        kind = ["string", "null"] if null else "string"
        values = [*grades, None] if null else grades
        return text(about, str(each.example), type=kind, enum=values)
    return number(
        each.about,
        each.example,
        type=["number", "null"] if null else "number",
        minimum=each.minimum,
        maximum=each.maximum,
    )


def text(about: str, example: str, **more: Any) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "description": about, "examples": [example], **more}


def number(about: str, example: float, **more: Any) -> Schema:
    """Return the schema of a number."""
    return {"type": "number", "description": about, "examples": [example], **more}


def count(about: str, example: int, **more: Any) -> Schema:
    """Return the schema of a whole number of at least 0."""
    whole = {"type": "integer", "minimum": 0, "description": about, "examples": [example]}
    return whole | more


def array(about: str, items: Schema, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "description": about, "items": items, **more}


def record(about: str, properties: dict[str, Schema], **more: Any) -> Schema:
    """Return the schema of an object whose *properties* are all there."""
    return {
        "type": "object",
        "description": about,
        "required": list(properties),
        "properties": properties,
        **more,
    }


def ref(name: str) -> Schema:
    """Return a reference to one of ``SCHEMAS``."""
    return {"$ref": f"#/components/schemas/{name}"}


def _names(about: str, names: tuple[str, ...], example: list[str]) -> Schema:
    return array(about, {"type": "string", "enum": list(names)}, examples=[example])


_DIAMOND: Final = record(
    "A stone: the four Cs, and measurements where they are known. A measurement that is left out"
    " or null is unknown; the price is then less sure.",
    {name: field(name, optional_as_null=True) for name in FIELDS},
    additionalProperties=False,
    examples=[STONE, _EXAMPLES],
) | {"required": list(REQUIRED)}

_SIMILAR_STONE: Final = record(
    "A stone with a known price. Measurements that are not known are null.",
    {name: field(name, optional_as_null=True) for name in FIELDS}
    | {
        PRICE.name: field(PRICE.name),
        "carat_difference": number("How far its weight is from the one asked for.", 0.01),
    },
)

_METRICS: Final = record(
    "Errors on the hold-out: stones that no model has learned from.",
    {
        "mae": number("Mean absolute error, in USD.", 270.5),
        "rmse": number("Root mean squared error, in USD.", 530.2),
        "mape": number("Mean absolute percentage error; 0.08 is 8 %.", 0.08),
        "r2": number("Share of the price's variance that is explained; 1 is perfect.", 0.982),
        "worst_decile": number(
            "The largest mean absolute error among ten groups by price, in USD.", 1010.0
        ),
    },
)

_CARD: Final = record(
    "All that is known of a trained model.",
    {
        "id": text("The model's name.", MODEL_ID),
        "family": text("The kind of model.", "xgboost"),
        "features": array("The fields that it takes.", {"type": "string"}, examples=[list(FIELDS)]),
        "created_at": text("When it was trained (UTC).", _TIME, format="date-time"),
        "seed": {"type": "integer", "description": "The random seed.", "examples": [0]},
        "seconds": number("How long the training took.", 24.1, minimum=0),
        "trials": {
            "type": ["integer", "null"],
            "description": "How many tuning trials were asked for; null: the family's own choice.",
            "examples": [100],
        },
        "metrics": ref("Metrics"),
        "metrics_four_cs": ref("Metrics"),
        "coverage": number("The share of hold-out prices inside the price range.", 0.902),
        "price_ranges": {"type": "object", "description": "How price ranges are made."},
        "training_range": {
            "type": "object",
            "description": "For each number, the minimum and the maximum among the training stones.",
            "additionalProperties": array("Minimum and maximum.", {"type": "number"}),
            "examples": [{"carat": [0.2, 5.01]}],
        },
        "data": record(
            "What it was trained on.",
            {
                "source": text("Where the stones came from.", "bundled diamonds"),
                "digest": text("A digest of the data.", "3e0cef2397f17181"),
                "rows": count("Rows read.", 53940),
                "rejected": count("Rows that can't be used.", 58),
                "training_rows": count("Stones learned from.", 43135),
                "holdout_rows": count("Stones held out.", 10747),
            },
        ),
        "comparison": {
            "type": ["object", "null"],
            "description": "Against the champion of that day on the same stones; null: none.",
        },
        "details": {"type": "object", "description": "What the family tells of itself."},
        "files": {
            "type": "object",
            "description": "File name to SHA-256; a file that differs is not loaded.",
            "additionalProperties": {"type": "string"},
        },
        "version": text("The version of diamond-core that trained it.", "0.1.0"),
        "schema": count("The version of the card.", 1),
    },
)

_PREDICTION: Final = record(
    "What a stone is worth.",
    {
        "id": text("This prediction's id, for questions about it.", _REQUEST_ID),
        "price": number("The most likely price, in USD.", 4608.99, exclusiveMinimum=0),
        "currency": text("Always USD.", "USD", enum=["USD"]),
        "price_per_carat": number("Price / carat, in USD.", 4189.99, minimum=0),
        "price_range": ref("PriceRange"),
        "model": ref("ModelName"),
        "assumed": _names(
            "Measurements that were not given.", OPTIONAL, ["depth", "table", "x", "y", "z"]
        ),
        "outside_training_range": _names(
            "Numbers outside what the model has learned from: take the price with care.",
            tuple(NUMBERS),
            [],
        ),
    },
)
SCHEMAS: Final[dict[str, Schema]] = {
    "Diamond": _DIAMOND,
    "Batch": record(
        "Stones to price.",
        {"diamonds": array("The stones, in any number that fits.", ref("Diamond"), minItems=1)},
        additionalProperties=False,
        examples=[{"diamonds": [STONE, _EXAMPLES]}],
    ),
    "Prediction": _PREDICTION,
    "Predictions": record(
        "What each stone is worth.",
        {"predictions": array("In the order of the request.", ref("Prediction"))},
    ),
    "PriceRange": record(
        "The range that holds the true price in a share ``coverage`` of all cases.",
        {
            "low": number("Its lower end, in USD.", 3851.43, exclusiveMinimum=0),
            "high": number("Its upper end, in USD.", 5515.55, exclusiveMinimum=0),
            "coverage": number("The share of true prices inside.", 0.9, minimum=0, maximum=1),
        },
    ),
    "ModelName": record(
        "The model behind a price.",
        {
            "id": text("The model's name.", MODEL_ID),
            "family": text("The kind of model.", "xgboost"),
            "trained_at": text("When it was trained (UTC).", _TIME, format="date-time"),
        },
    ),
    "SimilarDiamond": _SIMILAR_STONE,
    "SimilarDiamonds": record(
        "Stones of the same cut, color and clarity, nearest weight first.",
        {
            "diamonds": array("The stones.", ref("SimilarDiamond")),
            "count": count("How many there are in this answer.", 5),
            "available": count("How many stones of this cut, color and clarity are known.", 214),
        },
    ),
    "Metrics": _METRICS,
    "ModelCard": _CARD,
    "Models": record(
        "The history of models.",
        {
            "models": array("All models, newest first.", ref("ModelCard")),
            "champion": {
                "type": ["string", "null"],
                "description": "The id of the model that prices; null: none yet.",
                "examples": [MODEL_ID],
            },
            "damaged": array(
                "Models whose card can't be read.",
                record(
                    "One of them.",
                    {
                        "id": text("The model's name.", MODEL_ID),
                        "problem": text("What is wrong.", "it has no card.json"),
                    },
                ),
                examples=[[]],
            ),
        },
    ),
    "Promotion": record(
        "Why a model is made the champion.",
        {"reason": text("For the record.", "better on large stones", pattern=r"\S")},
        additionalProperties=False,
    ),
    "Promoted": record("The new champion.", {"champion": ref("ModelName")}),
    "Alive": record("The process answers.", {"status": text("Always ok.", "ok", enum=["ok"])}),
    "Readiness": record(
        "Whether stones can be priced.",
        {
            "status": text("Degraded: it prices, but look.", "ok", enum=["ok", "degraded"]),
            "model": ref("ModelName"),
            "problems": array("What is not as it should be.", {"type": "string"}, examples=[[]]),
        },
    ),
    "FieldError": record(
        "One wrong value.",
        {
            "pointer": text("Where it stands: a JSON pointer (RFC 6901).", "/carat"),
            "detail": text("What it must be.", "is missing: give the weight in carats"),
        },
    ),
    "Problem": record(
        "What went wrong, as a problem document (RFC 9457).",
        {
            "type": text("Always about:blank: the status says it.", "about:blank"),
            "title": text("The kind of problem.", "Some values can't be used"),
            "status": {"type": "integer", "description": "The status.", "examples": [422]},
            "detail": text("What is wrong and what to do.", "one value is wrong"),
            "instance": text("The address that was called.", "/v1/predictions"),
            "request_id": text("Quote it to support.", _REQUEST_ID),
        },
    ),
}
SCHEMAS["Problem"]["properties"]["errors"] = array(
    "Every wrong value at once; only where values are wrong.", ref("FieldError"), minItems=1
)

_PROBLEMS: Final = {
    400: ("Malformed", "The request can't be read: a body that is no JSON, say."),
    401: ("NoKey", "A key is needed, or this one is not known."),
    403: ("Forbidden", "This key may not do this; where no keys are set, nobody may."),
    404: ("NotFound", "Not found."),
    409: ("Conflict", "The champion was changed by someone else meanwhile."),
    413: ("TooLarge", "A body may have at most 2,000,000 bytes."),
    415: ("WrongType", "Send JSON with 'Content-Type: application/json'."),
    422: ("InvalidValues", "Some values can't be used; 'errors' names every one of them."),
    500: ("Failed", "The service failed; quote the request id to support."),
    503: ("NotNow", "There is no model yet, or something outside failed; try again later."),
}
REQUEST_ID_HEADER: Final = {
    "X-Request-ID": {
        "description": "The request's id: your own, if you sent a sane one.",
        "required": True,
        "schema": {"type": "string", "examples": [_REQUEST_ID]},
    }
}
_MORE_HEADERS: Final[dict[int, Schema]] = {
    401: {
        "WWW-Authenticate": {
            "description": "How to give a key.",
            "required": True,
            "schema": {"type": "string", "examples": ['Bearer realm="diamond-core"']},
        }
    },
    503: {
        "Retry-After": {
            "description": "After how many seconds to try again.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9]+$", "examples": ["10"]},
        }
    },
}

_WRONG_FIELD: Final = {"pointer": "/carat", "detail": "is missing: give the weight in carats, ..."}


def _example(status: int, about: str) -> Schema:
    document: Schema = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": about,
        "instance": "/v1/predictions",
        "request_id": _REQUEST_ID,
    }
    return document | {"errors": [_WRONG_FIELD]} if status == 422 else document


PROBLEM_RESPONSES: Final[dict[str, Schema]] = {
    name: {
        "description": about,
        "headers": REQUEST_ID_HEADER | _MORE_HEADERS.get(status, {}),
        "content": {CONTENT_TYPE: {"schema": ref("Problem"), "example": _example(status, about)}},
    }
    for status, (name, about) in _PROBLEMS.items()
}


def problems(*statuses: int) -> dict[str, Schema]:
    """Return references to the problem responses of *statuses*."""
    return {
        str(status): {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
        for status in statuses
    }
