"""What the service and the command line answer, as plain JSON values."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np

from diamond_core.diamond import CLARITIES, COLORS, CUTS
from diamond_core.model_card import ModelCard
from diamond_core.similarity import Similar
from diamond_core.use_cases.price_diamonds import Valuation, Valuations


def prediction_answer(valuation: Valuation, id: str, carat: float) -> dict[str, Any]:
    """Return the answer to 'what is this stone worth?'."""
    return {
        "id": id,
        "price": valuation.price,
        "currency": "USD",
        "price_per_carat": round(valuation.price / carat * 100.0) / 100.0,
        "price_range": {
            "low": valuation.low,
            "high": valuation.high,
            "coverage": valuation.card.price_ranges.coverage,
        },
        "model": model_answer(valuation.card),
        "assumed": valuation.assumed,
        "outside_training_range": valuation.outside,
    }


def predictions_answer(valuations: Valuations, id: str) -> list[dict[str, Any]]:
    """Return ``prediction_answer`` for many stones, with ids ``<id>-0``, ``<id>-1``, ..."""
    model = model_answer(valuations.card)
    coverage = valuations.card.price_ranges.coverage
    columns = (
        valuations.prices.tolist(),
        np.round(valuations.prices / valuations.table.carat, 2).tolist(),
        valuations.lows.tolist(),
        valuations.highs.tolist(),
        valuations.assumed(),
        valuations.outside(),
    )
    return [
        {
            "id": f"{id}-{number}",
            "price": price,
            "currency": "USD",
            "price_per_carat": per_carat,
            "price_range": {"low": low, "high": high, "coverage": coverage},
            "model": model,
            "assumed": assumed,
            "outside_training_range": outside,
        }
        for number, (price, per_carat, low, high, assumed, outside) in enumerate(
            zip(*columns, strict=True)
        )
    ]


@lru_cache(maxsize=8)
def _time_text(at: datetime) -> str:
    return at.isoformat()


def model_answer(card: ModelCard) -> dict[str, Any]:
    """Return the few words that name the model behind a price."""
    return {"id": card.id, "family": card.family, "trained_at": _time_text(card.created_at)}


def similar_answer(similar: Similar) -> dict[str, Any]:
    """Return the answer to 'which known stones are like it?'."""
    stones = []
    for row, difference in zip(
        similar.stones.rows.tolist(), similar.carat_differences, strict=True
    ):
        carat, cut, color, clarity, *measured, price = row
        depth, table, x, y, z = (None if value != value else value for value in measured)
        stones.append(
            {
                "carat": carat,
                "cut": CUTS[cut].value,
                "color": COLORS[color].value,
                "clarity": CLARITIES[clarity].value,
                "depth": depth,
                "table": table,
                "x": x,
                "y": y,
                "z": z,
                "price": price,
                "carat_difference": difference,
            }
        )
    return {"diamonds": stones, "count": len(stones), "available": similar.available}
