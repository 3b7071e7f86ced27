"""Exchanges as the service records them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from diamond_core import Exchange
from diamond_core.testing import an_exchange

_USUAL = {"Content-Type": "application/json", "User-Agent": "shop/1.0"}


def priced_exchange(id: str, stone: Mapping[str, Any], price: float, **changes: Any) -> Exchange:
    """Return the exchange of a stone that was priced."""
    return _exchange(id, "/v1/predictions", stone, _answer(id, price), changes)


def priced_batch(
    id: str, stones: Sequence[Mapping[str, Any]], price: float, **changes: Any
) -> Exchange:
    """Return the exchange of some stones that were priced at the same price."""
    answer = {"predictions": [_answer(f"{id}-{at}", price) for at in range(len(stones))]}
    return _exchange(id, "/v1/predictions/batch", {"diamonds": list(stones)}, answer, changes)


def _answer(id: str, price: float) -> dict[str, Any]:
    return {
        "id": id,
        "price": price,
        "currency": "USD",
        "price_per_carat": price,
        "price_range": {"low": 0.8 * price, "high": 1.2 * price, "coverage": 0.9},
        "model": {"id": "linear-1", "family": "linear", "trained_at": "2026-01-01T12:00:00+00:00"},
        "assumed": ["depth", "table", "x", "y", "z"],
        "outside_training_range": [],
    }


def _exchange(id: str, path: str, body: Any, answer: Any, changes: dict[str, Any]) -> Exchange:
    values = {
        "id": id,
        "request_id": id,
        "path": path,
        "query": "",
        "headers": _USUAL,
        "request_body": json.dumps(body).encode(),
        "response_body": json.dumps(answer).encode(),
    }
    return an_exchange(**(values | changes))
