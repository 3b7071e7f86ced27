"""Price the stones around one stone: other grades, other weights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from diamond_core.models.ladder import (
    CurvePoint,
    GradeSteps,
    Ladder,
    Step,
    WeightStep,
    curve_weights,
    grade_neighbours,
    ladder_weights,
    weight_limits,
)
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import FIELDS
from diamond_core.stones.proportions import values_at
from diamond_core.stones.trade_weights import just_below
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.price_diamonds import Predictions, PriceDiamonds


class PriceLadder:
    """Says what a stone would cost with another grade or weight."""

    def __init__(self, follower: ChampionFollower) -> None:
        self._follower = follower

    def __call__(self, diamond: Diamond) -> Ladder:
        """Price the stones around *diamond*, all in one call of the model.

        A stone of another weight has the same proportions; see ``values_at``.

        Raises:
            NoChampion: no model is served.
        """
        served = self._follower.get()
        limits = weight_limits(served.card, diamond.carat)
        stones = _Stones(diamond)
        own = stones.add(diamond.carat)
        grades = {
            name: [
                None if grade is None else stones.add(diamond.carat, {name: grade})
                for grade in neighbours
            ]
            for name, neighbours in grade_neighbours(diamond).items()
        }
        weights = [
            (stones.add(just_below(carat)), stones.add(carat))
            for carat in ladder_weights(diamond.carat, limits)
        ]
        curve = [stones.add(carat) for carat in curve_weights(diamond.carat, limits)]

        found = PriceDiamonds(served).many(stones.table())
        price, low, high = _priced(found, own)
        carats = found.table.carat

        def step(field: str, at: int) -> dict[str, Any]:
            changed, lowest, highest = _priced(found, at)
            return {
                "field": field,
                "value": stones.rows[at][field],
                "price": changed,
                "low": lowest,
                "high": highest,
                "difference": round(changed - price, 2),
                "difference_share": round(changed / price - 1.0, 4),
            }

        def grade_step(field: str, at: int | None) -> Step | None:
            return None if at is None else Step(**step(field, at))

        return Ladder(
            diamond=diamond,
            price=price,
            low=low,
            high=high,
            grades={
                name: GradeSteps(grade_step(name, up), grade_step(name, down))
                for name, (up, down) in grades.items()
            },
            weights=tuple(
                WeightStep(
                    **step("carat", at),
                    carat_below=float(carats[below]),
                    price_below=float(found.prices[below]),
                )
                for below, at in weights
            ),
            curve=tuple(CurvePoint(float(carats[at]), *_priced(found, at)) for at in curve),
            card=served.card,
        )


class _Stones:
    """The stones to price, each a change of one stone."""

    def __init__(self, diamond: Diamond) -> None:
        self._diamond = diamond
        self.rows: list[dict[str, Any]] = []

    def add(self, carat: float, grade: Mapping[str, str] = MappingProxyType({})) -> int:
        """Add a stone of this weight, and with another *grade*; return its row."""
        self.rows.append({**values_at(self._diamond, carat), **grade})
        return len(self.rows) - 1

    def table(self) -> DiamondTable:
        return DiamondTable.of_stored({name: [row[name] for row in self.rows] for name in FIELDS})


def _priced(found: Predictions, row: int) -> tuple[float, float, float]:
    """Return the price of a row and the ends of its range, in USD."""
    return float(found.prices[row]), float(found.lows[row]), float(found.highs[row])
