"""Stones, models, cards and exchanges for tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from diamond_core.models.evaluation import Metrics
from diamond_core.models.explanation import typical_stone
from diamond_core.models.model_card import DataSummary, ModelCard, ModelId, training_range
from diamond_core.models.price_ranges import PriceRanges
from diamond_core.models.profile import Profile
from diamond_core.ports import ONNX_FILE, FittedModel
from diamond_core.requests.exchange import Exchange, new_exchange_id
from diamond_core.stones.diamond import Stones
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import GRADES

NOON: Final = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
FOUR_CS: Final = ("carat", "cut", "color", "clarity")


def some_stones(count: int, *, seed: int = 0, noise: float = 0.1) -> DiamondTable:
    """Return *count* synthetic stones with the proportions and, roughly, the prices of real ones.

    Prices follow ``FormulaModel`` with a relative error of *noise*.
    """
    random = np.random.default_rng(seed)
    carat = np.round(np.exp(random.normal(-0.4, 0.55, count)).clip(0.2, 5.0), 2)
    depth = np.round(random.normal(61.8, 1.2, count), 1)
    diameter = (carat / (0.0061 * depth / 100.0)) ** (1.0 / 3.0)
    columns: dict[str, Any] = {"carat": carat}
    for name in FOUR_CS[1:]:
        columns[name] = random.integers(0, len(GRADES[name].grades), count)
    columns |= {
        "depth": depth,
        "table": np.round(random.normal(57.5, 2.0, count)),
        "x": np.round(diameter, 2),
        "y": np.round(diameter, 2),
        "z": np.round(diameter * depth / 100.0, 2),
    }
    table = DiamondTable.from_columns(columns)
    prices = FormulaModel().price(table) * np.exp(random.normal(0.0, noise, count))
    return DiamondTable.from_columns(columns | {"price": np.round(prices) + 1.0})


class FormulaModel:
    """A ``Model`` by a formula: 4,000 USD x carat^1.7 x 1.1^(sum of grade numbers - 10)."""

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor

    def price(self, stones: Stones) -> Floats:
        carat, *grades = stones.features(FOUR_CS).astype(np.float64).T
        prices: Floats = self._factor * 4000.0 * carat**1.7 * 1.1 ** (sum(grades) - 10.0)
        return prices


def load_formula(data: memoryview, features: Sequence[str]) -> FormulaModel:
    """Load the file of ``a_fitted_model``; it is a ``ModelLoader``.

    Raises:
        ValueError: *data* is something else.
    """
    word, _, factor = bytes(data).partition(b" ")
    if word != b"formula":
        raise ValueError("these bytes are not a formula")
    return FormulaModel(float(factor))


def a_fitted_model(table: DiamondTable, *, factor: float = 1.0, **changes: Any) -> FittedModel:
    """Return a fitted ``FormulaModel`` with a file for ``load_formula``."""
    model = FormulaModel(factor)
    prices = model.price(table)
    fitted = FittedModel(
        model=model,
        features=FOUR_CS,
        files={ONNX_FILE: f"formula {factor}".encode(), "estimator.joblib": b"none"},
        out_of_fold=prices,
        out_of_fold_four_cs=prices,
        ordered=FOUR_CS,
        ordered_measured=FOUR_CS[1:],
        details={"chosen": "a formula"},
    )
    return dataclasses.replace(fitted, **changes)


def a_card(name: str = "formula-1", **changes: Any) -> ModelCard:
    """Return a complete card with the id *name*."""
    table = some_stones(200)
    prices = FormulaModel().price(table)
    metrics = Metrics(mae=300.25, rmse=500.5, mape=0.08, r2=0.98, worst_decile=1000.0)
    card = ModelCard(
        id=ModelId(name),
        family="formula",
        features=FOUR_CS,
        created_at=NOON,
        seed=7,
        seconds=1.5,
        metrics=metrics,
        metrics_four_cs=metrics,
        coverage=0.9,
        inversions=dict.fromkeys(FOUR_CS, 0.0),
        inversions_measured=dict.fromkeys(FOUR_CS[1:], 0.0),
        price_ranges=PriceRanges.calibrate(table, prices, prices, FOUR_CS),
        training_range=training_range(table),
        typical=typical_stone(table),
        profile=Profile.of(table),
        data=DataSummary(
            source="made up",
            digest=table.digest(),
            rows=250,
            rejected=0,
            training_rows=200,
            holdout_rows=50,
        ),
    )
    return dataclasses.replace(card, **changes)


def an_exchange(**changes: Any) -> Exchange:
    """Return a complete exchange with a new id."""
    values: dict[str, Any] = {
        "id": new_exchange_id(),
        "request_id": "abc-123",
        "occurred_at": NOON,
        "method": "POST",
        "path": "/v1/predictions",
        "query": "a=1&b=%20",
        "headers": {"User-Agent": "test/1.0"},
        "client": "127.0.0.1",
        "key_name": "web",
        "status": 200,
        "duration_ms": 1.25,
        "request_body": b'{"carat": 1}',
        "response_body": b'{"price": 5000}',
        "model_id": "linear-1",
    }
    return Exchange(**(values | changes))
