"""What the service and the command line answer, as plain JSON values."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import numpy as np

from diamond_core import ChampionPeriod, ComparedModels, ModelCard, Prediction, Predictions, Similar
from diamond_core.codec import to_plain
from diamond_core.stones.diamond_table import DTYPE
from diamond_core.stones.fields import GRADES


def prediction_answer(prediction: Prediction, id: str, carat: float) -> dict[str, Any]:
    """Return the answer to 'what is this stone worth?'."""
    return {
        "id": id,
        "price": prediction.price,
        "currency": "USD",
        "price_per_carat": round(prediction.price / carat * 100.0) / 100.0,
        "price_range": {
            "low": prediction.low,
            "high": prediction.high,
            "coverage": prediction.card.price_ranges.coverage,
        },
        "model": model_answer(prediction.card),
        "assumed": prediction.assumed,
        "outside_training_range": prediction.outside,
    }


def predictions_answer(predictions: Predictions, id: str) -> list[dict[str, Any]]:
    """Return ``prediction_answer`` for many stones, with ids ``<id>-0``, ``<id>-1``, ..."""
    model = model_answer(predictions.card)
    coverage = predictions.card.price_ranges.coverage
    columns = (
        predictions.prices.tolist(),
        np.round(predictions.prices / predictions.table.carat, 2).tolist(),
        predictions.lows.tolist(),
        predictions.highs.tolist(),
        predictions.assumed(),
        predictions.outside(),
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


_COLUMNS: Final = tuple(
    (name, GRADES[name].names if name in GRADES else None) for name in DTYPE.names or ()
)
"""The columns of a table, with the names of the grades by their numbers."""


@lru_cache(maxsize=8)
def _time_text(at: datetime) -> str:
    return at.isoformat()


def model_answer(card: ModelCard) -> dict[str, Any]:
    """Return the few words that name the model behind a price."""
    return {"id": card.id, "family": card.family, "trained_at": _time_text(card.created_at)}


def similar_answer(similar: Similar) -> dict[str, Any]:
    """Return the answer to 'which known stones are like it?'."""
    rows = similar.stones.rows_of_today().tolist()
    stones = [
        {
            name: names.get(value) if names else (None if value != value else value)
            for (name, names), value in zip(_COLUMNS, row, strict=True)
        }
        | {"carat_difference": difference}
        for row, difference in zip(rows, similar.carat_differences, strict=True)
    ]
    return {"diamonds": stones, "count": len(stones), "available": similar.available}


def period_answer(period: ChampionPeriod) -> dict[str, Any]:
    """Return a time in which a model was champion; the model's id is left out."""
    answer: dict[str, Any] = to_plain(period)
    del answer["model_id"]
    return answer


def comparison_answer(found: ComparedModels) -> dict[str, Any]:
    """Return two models, compared on the same hold-out."""
    first, second = found.models
    answer: dict[str, Any] = {
        "data": {"source": found.source, "digest": found.digest, "holdout_rows": found.stones},
        "models": [
            {
                "id": each.card.id,
                "family": each.card.family,
                "metrics": to_plain(each.evaluation.metrics()),
                "coverage": float(each.evaluation.covered.mean()),
                "trained_on_this_data": each.same_data,
            }
            for each in found.models
        ],
        "mae_difference": {
            "mean": found.difference.difference,
            "low": found.difference.low,
            "high": found.difference.high,
        },
        "better": found.better,
        "groups": [
            {
                "by": a.by,
                "name": a.name,
                "stones": a.stones,
                "mae": [a.mae, b.mae],
                "mape": [a.mape, b.mape],
            }
            for a, b in zip(first.slices, second.slices, strict=True)
        ],
    }
    plain: dict[str, Any] = to_plain(answer)
    return plain
