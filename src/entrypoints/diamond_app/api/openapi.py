"""The OpenAPI document: what each address takes and answers. Tests hold it to the behaviour."""

from __future__ import annotations

from typing import Any, Final

import falcon
import orjson

from diamond_app.api.openapi_record import LIST_PARAMETERS, RECORD_SCHEMAS
from diamond_app.api.openapi_schemas import (
    MODEL_ID,
    PROBLEM_RESPONSES,
    REQUEST_ID_HEADER,
    SCHEMAS,
    Schema,
    field,
    problems,
    ref,
)
from diamond_app.api.payloads import DEFAULT_SIMILAR, MOST_SIMILAR
from diamond_core import FIELDS, __version__
from diamond_core.stones.fields import REQUIRED

_ABOUT: Final = """\
Prices polished diamonds from their carat, cut, color and clarity, and shows known stones that
are like a given one.

* Every answer is JSON. An error is a problem document (RFC 9457) that names every wrong value.
* Every response carries `X-Request-ID`; quote it when you ask about a request.
* Where keys are set, send one as `Authorization: Bearer <key>` or `X-API-Key: <key>`.
"""
_KEY: Final[list[Schema]] = [{"bearer": []}, {"apiKey": []}]
_MODEL_ID_PARAMETER: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The model's name.",
    "schema": {
        "type": "string",
        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
        "maxLength": 80,
        "examples": [MODEL_ID],
    },
}


def _answer(about: str, schema: str) -> dict[str, Schema]:
    return {
        "200": {
            "description": about,
            "headers": REQUEST_ID_HEADER,
            "content": {"application/json": {"schema": ref(schema)}},
        }
    }


def _text(about: str, content_type: str) -> dict[str, Schema]:
    content = {content_type: {"schema": {"type": "string"}}}
    return {"200": {"description": about, "headers": REQUEST_ID_HEADER, "content": content}}


def _operation(
    id: str, tag: str, summary: str, responses: dict[str, Schema], about: str = "", **more: Any
) -> Schema:
    return {
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        "description": about or summary,
        "responses": responses,
        **more,
    }


def _body(schema: str) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}


def _similar_parameters() -> list[Schema]:
    parameters: list[Schema] = [
        {
            "name": name,
            "in": "query",
            "required": name in REQUIRED,
            "description": field(name)["description"],
            "schema": field(name),
        }
        for name in FIELDS
    ]
    n = {"type": "integer", "minimum": 1, "maximum": MOST_SIMILAR, "default": DEFAULT_SIMILAR}
    about = "How many stones to show."
    return [*parameters, {"name": "n", "in": "query", "description": about, "schema": n}]


def _pricing(key: list[Schema], errors: tuple[int, ...]) -> dict[str, Schema]:
    posted = (400, *errors, 413, 415, 422, 500, 503)
    return {
        "/v1/predictions": {
            "post": _operation(
                "price_diamond",
                "Prices",
                "Price one stone",
                _answer("The price, its range, and what it rests on.", "Prediction")
                | problems(*posted),
                "Give the four Cs; measurements make the price surer.",
                requestBody=_body("Diamond"),
                security=key,
            )
        },
        "/v1/predictions/batch": {
            "post": _operation(
                "price_diamonds",
                "Prices",
                "Price many stones at once",
                _answer("The prices, in the order of the stones.", "Predictions")
                | problems(*posted),
                "Much faster than one request a stone. One bad stone is named by its index. A CSV"
                " (`Content-Type: text/csv`, at most 16 MB) is taken too: the answer is the same CSV"
                " with predicted_price, price_low, price_high and error after its columns.",
                requestBody=_body("Batch"),
                security=key,
            )
        },
        "/v1/similar": {
            "get": _operation(
                "similar_diamonds",
                "Prices",
                "Show known stones like one stone",
                _answer("Stones of the same grades, nearest weight first.", "SimilarDiamonds")
                | problems(400, *errors, 422, 500, 503),
                "None is no error: the list is then empty.",
                parameters=_similar_parameters(),
                security=key,
            )
        },
    }


def _models(key: list[Schema], errors: tuple[int, ...]) -> dict[str, Schema]:
    return {
        "/v1/models": {
            "get": _operation(
                "list_models",
                "Models",
                "List all models",
                _answer("All models, newest first.", "Models") | problems(*errors, 500),
                security=key,
            )
        },
        "/v1/models/champion": {
            "get": _operation(
                "show_champion",
                "Models",
                "Show the model that prices now",
                _answer("Its card.", "ModelCard") | problems(*errors, 500, 503),
                security=key,
            )
        },
        "/v1/models/{id}": {
            "get": _operation(
                "show_model",
                "Models",
                "Show one model",
                _answer("Its card.", "ModelCard") | problems(*errors, 404, 500),
                parameters=[_MODEL_ID_PARAMETER],
                security=key,
            )
        },
        "/v1/models/{id}/promote": {
            "post": _operation(
                "promote_model",
                "Models",
                "Make a model the champion",
                _answer("The new champion; workers serve it within a second.", "Promoted")
                | problems(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
                "Needs a key named admin or admin-something.",
                parameters=[_MODEL_ID_PARAMETER],
                requestBody=_body("Promotion"),
                security=_KEY,
            )
        },
    }


def _record() -> dict[str, Schema]:
    def get(id: str, summary: str, about: str, schema: str, *more: int, **parts: Any) -> Schema:
        answers = _answer(about, schema) | problems(401, 403, *more, 500, 503)
        needs = "Needs a key named admin or admin-something."
        return {"get": _operation(id, "Record", summary, answers, needs, security=_KEY, **parts)}

    one = _MODEL_ID_PARAMETER | {
        "description": "An exchange's id, that of a price in a batch, or an X-Request-ID.",
        "schema": {"type": "string", "minLength": 1, "examples": ["order-4711"]},
    }
    return {
        "/v1/requests": get(
            "list_requests",
            "Find requests and their responses",
            "A page of them, newest first.",
            "Exchanges",
            422,
            parameters=LIST_PARAMETERS,
        ),
        "/v1/requests/{id}": get(
            "show_request",
            "Show a request and its response in full",
            "The exchange of this id, else the newest of this X-Request-ID, with its bodies.",
            "FoundExchange",
            404,
            parameters=[one],
        ),
    }


def _operating() -> dict[str, Schema]:
    tag = "Operation"
    return {
        "/livez": {
            "get": _operation("live", tag, "Is the process alive?", _answer("Yes.", "Alive"))
        },
        "/readyz": {
            "get": _operation(
                "ready",
                tag,
                "Can stones be priced?",
                _answer("Yes; degraded says that something wants a look.", "Readiness")
                | problems(503),
            )
        },
        "/metrics": {
            "get": _operation(
                "metrics",
                tag,
                "Metrics for Prometheus",
                _text("All metrics of all workers.", "text/plain"),
            )
        },
        "/openapi.json": {
            "get": _operation(
                "openapi",
                tag,
                "This document",
                {"200": _answer("OpenAPI 3.1.", "Problem")["200"] | {"content": _ANY_JSON}},
            )
        },
    }


_ANY_JSON: Final = {"application/json": {"schema": {"type": "object"}}}


def document(*, keys_are_set: bool) -> dict[str, Any]:
    """Return the document of a service where keys are, or are not, needed to price."""
    key = _KEY if keys_are_set else []
    errors = (401,) if keys_are_set else ()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "diamond-core",
            "version": __version__,
            "summary": "What is this diamond worth?",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This service."}],
        "tags": [
            {"name": "Prices", "description": "What a stone is worth, and stones like it."},
            {"name": "Models", "description": "The history of models; the champion prices."},
            {"name": "Record", "description": "Every request and its response, for support."},
            {"name": "Operation", "description": "For those who run the service."},
        ],
        "paths": _pricing(key, errors) | _models(key, errors) | _record() | _operating(),
        "components": {
            "schemas": SCHEMAS | RECORD_SCHEMAS,
            "responses": PROBLEM_RESPONSES,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The key as Authorization: Bearer.",
                },
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "The key as X-API-Key.",
                },
            },
        },
    }


class OpenApi:
    """GET /openapi.json: this service, described."""

    def __init__(self, *, keys_are_set: bool) -> None:
        self._keys_are_set = keys_are_set
        self._bytes: bytes | None = None

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        if self._bytes is None:
            self._bytes = orjson.dumps(document(keys_are_set=self._keys_are_set))
        resp.data = self._bytes
