"""Exchanges as JSON values and as cells of a CSV, for the service and the command line."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from diamond_core import Exchange

CSV_COLUMNS: Final = (
    *(
        "id",
        "request_id",
        "occurred_at",
        "method",
        "path",
        "query",
        "headers",
        "client",
        "key_name",
    ),
    *("status", "duration_ms", "model_id", "request_encoding", "request_body"),
    *("response_encoding", "response_body"),
)


def exchange_answer(exchange: Exchange, *, bodies: bool) -> dict[str, Any]:
    """Return the exchange as JSON values.

    A body that is UTF-8 is given as its text, another one as base64; its encoding says which.
    """
    answer: dict[str, Any] = {
        "id": exchange.id,
        "request_id": exchange.request_id,
        "occurred_at": exchange.occurred_at.isoformat(timespec="microseconds"),
        "method": exchange.method,
        "path": exchange.path,
        "query": exchange.query,
        "headers": {_text(name): _text(value) for name, value in exchange.headers.items()},
        "client": exchange.client,
        "key_name": exchange.key_name,
        "status": exchange.status,
        "duration_ms": exchange.duration_ms,
        "model_id": exchange.model_id,
    }
    if bodies:
        for name in ("request", "response"):
            encoding, text = _body(getattr(exchange, f"{name}_body"))
            answer[f"{name}_encoding"] = encoding
            answer[f"{name}_body"] = text
    return answer


def exchange_cells(exchange: Exchange) -> list[object]:
    """Return the cells of ``CSV_COLUMNS``."""
    answer = exchange_answer(exchange, bodies=True)
    answer["headers"] = json.dumps(answer["headers"], ensure_ascii=False)
    return [answer[column] for column in CSV_COLUMNS]


def _body(body: bytes) -> tuple[str, str]:
    try:
        return "utf-8", body.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(body).decode()


def _text(text: str) -> str:
    """Return the text with escapes for lone surrogates, which JSON can't hold."""
    return text.encode("utf-8", "backslashreplace").decode()
