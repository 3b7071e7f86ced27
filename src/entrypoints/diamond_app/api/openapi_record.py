"""The addresses under /v1/requests in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from diamond_app.api.openapi_schemas import Schema, array, number, record, ref, text

_STRINGS: Final = {"type": "object", "additionalProperties": {"type": "string"}}
_ID: Final = "18ea9846f04c237630ad568397b5eb71"
_TIME: Final = "2026-11-23T14:22:33.123456+00:00"

_EXCHANGE: Final[dict[str, Schema]] = {
    "id": text("The exchange's own id, also that of a prediction; sorts by time.", _ID),
    "request_id": text("The X-Request-ID: the caller's own, which it may repeat.", "order-4711"),
    "occurred_at": text("When the request arrived (UTC).", _TIME, format="date-time"),
    "method": text("The method.", "POST"),
    "path": text("The path.", "/v1/predictions"),
    "query": text("What stood after '?'.", ""),
    "headers": _STRINGS
    | {"description": "The headers worth keeping.", "examples": [{"User-Agent": "curl/8.5"}]},
    "client": text("The caller's address.", "127.0.0.1"),
    "key_name": text("The name of the key that was used; empty: none.", "shop"),
    "status": {"type": "integer", "description": "The status answered.", "examples": [200]},
    "duration_ms": number("How long it took, in milliseconds.", 0.412, minimum=0),
    "model_id": text("The model that priced; empty: none.", "linear-20261123-142233-9f3a1c"),
}
_ENCODING: Final = {"enum": ["utf-8", "base64"]}
_BODIES: Final[dict[str, Schema]] = {
    "request_encoding": text("How request_body is written.", "utf-8", **_ENCODING),
    "request_body": text("The request's body, unchanged.", '{"carat": 1.1}'),
    "response_encoding": text("How response_body is written.", "utf-8", **_ENCODING),
    "response_body": text("The response's body, unchanged.", '{"price": 4608.99}'),
}
RECORD_SCHEMAS: Final[dict[str, Schema]] = {
    "Exchange": record(
        "A request and its response; the bodies where they were asked for.", _EXCHANGE | _BODIES
    )
    | {"required": list(_EXCHANGE)},
    "Exchanges": record(
        "A page of the record, newest first.",
        {
            "requests": array("The exchanges.", ref("Exchange")),
            "next": {
                "type": ["string", "null"],
                "description": "The 'before' of the next page; null: this is the last.",
                "examples": [_ID],
            },
        },
    ),
}
_OTHERS: Final = {
    "others": array(
        "Others of the same X-Request-ID, newest first.", ref("Exchange"), examples=[[]]
    )
}
RECORD_SCHEMAS["FoundExchange"] = record(
    "An exchange with its bodies, and others that the same id names.",
    _EXCHANGE | _BODIES | _OTHERS,
)


def _parameter(name: str, about: str, example: Any, **schema: Any) -> Schema:
    return {
        "name": name,
        "in": "query",
        "description": about,
        "schema": {"type": "string", "examples": [example]} | schema,
    }


_AGE_OR_TIME: Final = r"^([0-9]{1,6}[smhdw]|20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]))?$"
_WHEN: Final = "An age such as 2h or 3d, or a day; times such as 2026-01-31T12:00Z work too"
_SINCE_UNTIL: Final = [
    _parameter("since", f"No older than this. {_WHEN}.", "3d", pattern=_AGE_OR_TIME),
    _parameter("until", f"No newer than this. {_WHEN}.", "2h", pattern=_AGE_OR_TIME),
]
_PATH_MODEL: Final = [
    _parameter("path", "What the path begins with.", "/v1/predictions"),
    _parameter("model", "The id of the model that priced.", "linear-20261123-142233-9f3a1c"),
]
LIST_PARAMETERS: Final = [
    _parameter("id", "The exchange's own id.", _ID),
    _parameter("request_id", "The X-Request-ID.", "order-4711"),
    *_SINCE_UNTIL,
    *_PATH_MODEL,
    _parameter(
        "status", "A status, or a class such as 4xx.", "4xx", pattern="^([1-5]([0-9]{2}|xx))?$"
    ),
    _parameter(
        "slower_than",
        "Took longer than this: milliseconds, or seconds such as 1.5s.",
        "250ms",
        pattern=r"^([0-9]{1,9}(\.[0-9]{1,6})?(ms|s)?)?$",
    ),
    _parameter("limit", "How many at most.", 50, type="integer", minimum=1, maximum=1000),
    _parameter("before", "The 'next' of the page before.", _ID),
    _parameter("bodies", "Whether to give the bodies.", "false", enum=["true", "false"]),
]
