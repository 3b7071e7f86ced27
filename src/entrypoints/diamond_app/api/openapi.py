"""The OpenAPI document, built from the descriptions of the operations and their classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import falcon
import msgspec
from msgspec import Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Access, Operation, Resource, Topic, operation, operations
from diamond_app.api.problems import CONTENT_TYPE, TITLES
from diamond_app.responses import EXCHANGE_ID, FieldError, Problem, encode_line
from diamond_core import __version__
from diamond_core.stones.fields import GRADES

Schema = dict[str, Any]

_ABOUT: Final = """\
Prices polished diamonds from their carat, cut, color and clarity, and shows known stones that
are similar to a given one.

* Answers are JSON, except metrics and priced CSVs.
* An error is a problem document (RFC 9457) that names every invalid value.
* Every response carries `X-Request-ID`; quote it when you ask about a request.
* If keys are set, send one as `Authorization: Bearer <key>` or `X-API-Key: <key>`.
"""
_ADMIN: Final = "Needs a key named admin or admin-something."
_KEY: Final[list[Schema]] = [{"bearer": []}, {"apiKey": []}]
_PROBLEMS: Final = {
    400: ("Malformed", "The request can't be read: a body that is not JSON, for example."),
    401: ("NoKey", "A key is needed, or this one is unknown."),
    403: ("Forbidden", "This key has no permission; if no keys are set, nobody has it."),
    404: ("NotFound", "Not found."),
    408: ("TooSlow", "The body did not arrive in time."),
    409: ("Conflict", "Someone else changed the champion meanwhile."),
    413: ("TooLarge", "The maximum size of a body is 2,000,000 bytes; of a CSV, 16,000,000."),
    415: ("WrongType", "Send JSON with 'Content-Type: application/json'."),
    422: ("InvalidValues", "Some values are invalid; 'errors' names all of them."),
    500: ("Failed", "The service failed; quote the request id to support."),
    503: ("NotNow", "There is no model yet, or a dependency failed; try again later."),
}
"""Status -> the name of its response in the document, and what it means."""


def _header(about: str, example: str, **more: str) -> Schema:
    schema = {"type": "string", **more, "examples": [example]}
    return {"description": about, "required": True, "schema": schema}


_REQUEST_ID: Final = {
    "X-Request-ID": _header("The request's id: your own, if you sent a valid one.", EXCHANGE_ID)
}
_MORE_HEADERS: Final[dict[int, Schema]] = {
    401: {"WWW-Authenticate": _header("How to send a key.", 'Bearer realm="diamond-core"')},
    503: {"Retry-After": _header("The seconds to wait before a retry.", "10", pattern="^[0-9]+$")},
}
_WRONG_FIELD: Final = FieldError("/carat", "is missing: give the weight in carats, ...")


def document(resources: Sequence[Resource], *, keys_are_set: bool) -> Schema:
    """Return the document of these resources; *keys_are_set*: pricing needs a key."""
    paths: Schema = {}
    types: set[type[Struct]] = {Problem}
    for resource in resources:
        for method, described in operations(resource):
            paths.setdefault(resource.path, {})[method] = _operation(
                described, keys_are_set=keys_are_set
            )
            answer = described.answer
            types |= {each for each in (described.body, answer) if isinstance(each, type)}
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
        "tags": [{"name": _name(topic), "description": topic.value} for topic in Topic],
        "paths": paths,
        "components": {
            "schemas": schemas(types),
            "responses": {
                name: _problem(status, about) for status, (name, about) in _PROBLEMS.items()
            },
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


def schemas(types: Iterable[type]) -> Schema:
    """Return the schema of each class, and of the classes in them, by name."""
    ordered = sorted(types, key=lambda each: each.__name__)
    _, found = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    for each in ordered:
        examples = getattr(each, "EXAMPLES", None)
        if examples:
            found[each.__name__]["examples"] = list(examples)
    tidy: Schema = _tidied(found)
    return {name: schema for name, schema in sorted(tidy.items()) if name not in _SCALES}


_SCALES: Final = {type(each.example).__name__: each for each in GRADES.values()}
"""The classes of grades by name: they are inlined where they are used, worst first."""


def _tidied(schema: Any) -> Any:
    """Return the schema with two types for an optional value, and with the scales inlined."""
    if isinstance(schema, list):
        return [_tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {name: _tidied(each) for name, each in schema.items()}
    if tidy.get("default", ...) is None:
        del tidy["default"]
    scale = _SCALES.get(str(tidy.get("$ref", "")).rpartition("/")[2])
    if scale is not None:
        del tidy["$ref"]
        tidy |= {"type": "string", "enum": [str(grade) for grade in scale.grades]}
    elif "enum" in tidy:
        tidy["type"] = "string"
    options = tidy.get("anyOf", [])
    if len(options) == 2 and options[1] == {"type": "null"} and "type" in options[0]:
        del tidy["anyOf"]
        tidy = options[0] | tidy | {"type": [options[0]["type"], "null"]}
        if "enum" in tidy:
            tidy["enum"] = [*tidy["enum"], None]
    return tidy


def _name(topic: Topic) -> str:
    return topic.name.capitalize()


def _operation(described: Operation, *, keys_are_set: bool) -> Schema:
    needs_key = described.access is Access.ADMINS or (
        described.access is Access.CALLERS and keys_are_set
    )
    errors = {*described.errors, 500}
    if needs_key:
        errors |= {401, 403} if described.access is Access.ADMINS else {401}
    if described.body is not None:
        errors |= {400, 408, 413, 415, 422}
    if described.query is not None:
        errors.add(422)
    about = [described.about or described.summary]
    if described.access is Access.ADMINS:
        about.append(_ADMIN)
    found: Schema = {
        "operationId": described.id,
        "tags": [_name(described.topic)],
        "summary": described.summary,
        "description": " ".join(about),
        "responses": {"200": _answer(described)}
        | {str(status): _ref("responses", _PROBLEMS[status][0]) for status in sorted(errors)},
        "security": _KEY if needs_key else [],
    }
    if described.etag:
        found["responses"]["304"] = {
            "description": "The answer is the one whose ETag was sent as If-None-Match.",
            "headers": _REQUEST_ID,
        }
    parameters = [*_path_parameters(described), *_query_parameters(described)]
    if parameters:
        found["parameters"] = parameters
    if described.body is not None:
        schema = _ref("schemas", described.body.__name__)
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return found


def _answer(described: Operation) -> Schema:
    content: Schema
    if isinstance(described.answer, str):
        kind = "object" if described.answer == falcon.MEDIA_JSON else "string"
        content = {described.answer: {"schema": {"type": kind}}}
    else:
        schema = _ref("schemas", described.answer.__name__)
        content = {falcon.MEDIA_JSON: {"schema": schema}}
    return {"description": described.answered, "headers": _REQUEST_ID, "content": content}


def _path_parameters(described: Operation) -> list[Schema]:
    return [
        _parameter(name, "path", _tidied(msgspec.json.schema(kind)), required=True)
        for name, kind in described.path.items()
    ]


def _query_parameters(described: Operation) -> list[Schema]:
    if described.query is None:
        return []
    schema = schemas([described.query])[described.query.__name__]
    required = schema.get("required", [])
    return [
        _parameter(name, "query", each, required=name in required)
        for name, each in schema["properties"].items()
    ]


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> Schema:
    about = schema["description"]
    if schema.get("default") == "":
        schema = {key: value for key, value in schema.items() if key != "default"}
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": about,
        "schema": schema,
    }


def _problem(status: int, about: str) -> Schema:
    errors = [_WRONG_FIELD] if status == 422 else msgspec.UNSET
    example = Problem(
        "about:blank", TITLES[status], status, about, "/v1/predictions", EXCHANGE_ID, errors
    )
    return {
        "description": about,
        "headers": _REQUEST_ID | _MORE_HEADERS.get(status, {}),
        "content": {
            CONTENT_TYPE: {
                "schema": _ref("schemas", "Problem"),
                "example": msgspec.to_builtins(example),
            }
        },
    }


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


class OpenApi:
    """GET /openapi.json: the description of this service."""

    path = "/openapi.json"

    def __init__(self, resources: Sequence[Resource], *, keys_are_set: bool) -> None:
        self._resources = [*resources, self]
        self._keys_are_set = keys_are_set
        self._bytes = b""

    @operation(
        id="openapi",
        etag=True,
        topic=Topic.OPERATION,
        summary="This document",
        answer=falcon.MEDIA_JSON,
        answered="OpenAPI 3.1.",
        access=Access.EVERYONE,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> None:
        if not self._bytes:
            self._bytes = encode_line(document(self._resources, keys_are_set=self._keys_are_set))
        resp.data = self._bytes
