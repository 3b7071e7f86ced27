"""Exchanges as JSON values and as cells of a CSV, for the service and the command line."""

from __future__ import annotations

import json
from typing import Any, Final

from diamond_adapters.requests.body_text import to_text
from diamond_core import Exchange
from diamond_core.codec import escaped

CSV_COLUMNS: Final = (
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
    "request_encoding",
    "request_body",
    "response_encoding",
    "response_body",
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
        "headers": {escaped(name): escaped(value) for name, value in exchange.headers.items()},
        "client": exchange.client,
        "key_name": exchange.key_name,
        "status": exchange.status,
        "duration_ms": exchange.duration_ms,
        "model_id": exchange.model_id,
    }
    if bodies:
        for name in ("request", "response"):
            encoding, text = to_text(getattr(exchange, f"{name}_body"))
            answer[f"{name}_encoding"] = encoding
            answer[f"{name}_body"] = text
    return answer


def exchange_cells(exchange: Exchange) -> list[object]:
    """Return the cells of ``CSV_COLUMNS``."""
    answer = exchange_answer(exchange, bodies=True)
    answer["headers"] = json.dumps(answer["headers"], ensure_ascii=False)
    return [answer[column] for column in CSV_COLUMNS]
