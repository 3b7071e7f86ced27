"""Exchanges as rows: text stays text, so that users can query it with SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import peewee

from diamond_adapters.requests.body_text import from_text, to_text
from diamond_core.codec import escaped
from diamond_core.requests.exchange import Exchange, Truncation

BODIES: Final = ("request", "response")
COLUMNS: Final = (
    "id",
    "request_id",
    "occurred_at",
    "method",
    "path",
    "query",
    "headers",
    "client",
    "key_name",
    "status",
    "duration_ms",
    "model_id",
    "request_truncation",
    "response_truncation",
    "request_encoding",
    "response_encoding",
    "request_body",
    "response_body",
)
PART_COLUMNS: Final = ("id", "body", "place", "text")
BODY_COLUMNS: Final = frozenset({"request_body", "response_body"})
_TIME_LENGTH: Final = len("2026-01-31 12:00:00.000000")

# The tables of the migrations, for queries: without column types, so values are not converted.
REQUESTS: Final = peewee.Table("requests", COLUMNS)
PARTS: Final = peewee.Table("request_parts", PART_COLUMNS)
MARKS: Final = peewee.Table("spool_marks", ("file", "last"))

Row = tuple[Any, ...]

_decode_headers: Final = msgspec.json.Decoder(dict[str, str]).decode


def to_row(exchange: Exchange) -> Row:
    """Return the row of an exchange, its values in the order of ``COLUMNS``."""
    request_encoding, request_body = to_text(exchange.request_body)
    response_encoding, response_body = to_text(exchange.response_body)
    return (
        exchange.id,
        escaped(exchange.request_id),
        to_time(exchange.occurred_at),
        escaped(exchange.method),
        escaped(exchange.path),
        escaped(exchange.query),
        _to_json(exchange.headers),
        escaped(exchange.client),
        escaped(exchange.key_name),
        exchange.status,
        exchange.duration_ms,
        escaped(exchange.model_id),
        _truncation_text(exchange.request_truncation),
        _truncation_text(exchange.response_truncation),
        request_encoding,
        response_encoding,
        request_body,
        response_body,
    )


def split(row: Row, maximum: int) -> tuple[Row, list[Row]]:
    """Return the row with bodies of at most *maximum* bytes, and the rest as rows of parts."""
    parts: list[Row] = []
    firsts = []
    for name, body in zip(BODIES, row[-2:], strict=True):
        first, *rest = _pieces(body, maximum)
        firsts.append(first)
        parts += [(row[0], name, place, text) for place, text in enumerate(rest, start=1)]
    return ((*row[:-2], *firsts) if parts else row), parts


def without_bodies(row: Row) -> Row:
    """Return the row without its bodies, with their sizes and digests."""
    values = dict(zip(COLUMNS, row, strict=True))
    for name in BODIES:
        body = from_text(values[f"{name}_encoding"], values[f"{name}_body"])
        if body and not values[f"{name}_truncation"]:
            values[f"{name}_truncation"] = _truncation_text(Truncation.of(body))
        values[f"{name}_body"] = ""
    return tuple(values.values())


def time_of(row: Row) -> datetime:
    """Return when the exchange of a row occurred."""
    return from_time(row[COLUMNS.index("occurred_at")])


def from_row(row: Row, parts: Mapping[str, str] | None = None) -> Exchange:
    """Return the exchange of a row with ``COLUMNS``; *parts* has the rest of each body."""
    # no dictionary between: replay and monitoring read millions of rows
    (
        id,
        request_id,
        occurred_at,
        method,
        path,
        query,
        headers,
        client,
        key_name,
        status,
        duration_ms,
        model_id,
        request_truncation,
        response_truncation,
        request_encoding,
        response_encoding,
        request_body,
        response_body,
    ) = row
    if parts:
        request_body += parts.get("request", "")
        response_body += parts.get("response", "")
    return Exchange(
        id=id,
        request_id=request_id,
        occurred_at=from_time(occurred_at),
        method=method,
        path=path,
        query=query,
        headers=_from_json(headers),
        client=client,
        key_name=key_name,
        status=status,
        duration_ms=duration_ms,
        request_body=from_text(request_encoding, request_body),
        response_body=from_text(response_encoding, response_body),
        request_truncation=_truncation_of(request_truncation),
        response_truncation=_truncation_of(response_truncation),
        model_id=model_id,
    )


def exchange_of(row: Row) -> Exchange:
    """Return the exchange of a complete row, its values in the order of ``COLUMNS``.

    Raises:
        ValueError: its values are damaged.
    """
    try:
        return from_row(row)
    except (TypeError, AttributeError) as ex:
        raise ValueError(f"its values are damaged: {ex}") from ex


def to_time(time: datetime) -> str:
    """Return a UTC time as text that both databases compare correctly."""
    return time.isoformat(" ", "microseconds")[:_TIME_LENGTH]


def from_time(value: datetime | str) -> datetime:
    """Return the time of a value: SQLite returns text, MySQL a time without a zone."""
    if isinstance(value, str):
        return datetime.fromisoformat(value + "+00:00")
    return value.replace(tzinfo=UTC)


def _truncation_text(truncation: Truncation | None) -> str:
    return "" if truncation is None else f"{truncation.bytes} {truncation.sha256}"


def _truncation_of(text: str) -> Truncation | None:
    if not text:
        return None
    size, _, sha256 = text.partition(" ")
    return Truncation(int(size), sha256)


def _to_json(headers: Mapping[str, str]) -> str:
    try:
        return msgspec.json.encode(headers).decode()
    except UnicodeEncodeError:  # lone surrogates
        return json.dumps(dict(headers))


def _from_json(text: str) -> Mapping[str, str]:
    try:
        return _decode_headers(text)
    except ValueError:  # lone surrogates
        headers: dict[str, str] = json.loads(text)
        return headers


def _pieces(text: str, maximum: int) -> Iterator[str]:
    """Split the text into one or more pieces of at most *maximum* bytes of UTF-8."""
    if len(text) * 4 <= maximum or len(text.encode()) <= maximum:
        yield text
        return
    length = maximum // 4  # a character has at most four bytes
    for start in range(0, len(text), length):
        yield text[start : start + length]
