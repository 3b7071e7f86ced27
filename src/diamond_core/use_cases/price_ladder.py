"""Price the stones around one stone: other grades, other weights; and compare it with sold ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from diamond_core.models.comparables import COMPARED, compare_with_sold
from diamond_core.models.ladder import (
    CurvePoint,
    GradeSteps,
    Ladder,
    Step,
    WeightStep,
    curve_weights,
    grade_neighbours,
    ladder_weights,
)
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import FIELDS
from diamond_core.stones.proportions import values_at
from diamond_core.stones.similarity import Similar
from diamond_core.stones.trade_weights import just_below
from diamond_core.use_cases.find_similar import nearest_in_price
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import LoadedModel
from diamond_core.use_cases.price_diamonds import Predictions, PriceDiamonds


class PriceLadder:
    """Says what a stone would cost with another grade or weight, and what was paid for others.

    The comparison with sold stones is here, not in ``FindSimilar`` or ``PriceDiamonds``: it needs
    the prices of several stones, and those two answer many requests.
    """

    def __init__(self, follower: ChampionFollower) -> None:
        self._follower = follower

    def __call__(self, diamond: Diamond) -> Ladder:
        """Price the stones around *diamond* in one call of the model.

        A stone of another weight has the same proportions; see ``values_at``. The comparable
        stones are of the same grades; if there are fewer than ``COMPARED``, they are chosen from
        neighbouring grades too, by another call.

        Raises:
            NoChampion: no model is served.
            InvalidDiamond: nothing is known of a stone of this weight; see ``Support.refusal``.
        """
        served = self._follower.get()
        served.support.check(diamond)
        limits = served.support.carats
        similar = _comparables(served, diamond)
        around = _Around(diamond)
        own = around.add(diamond.carat)
        grades = {
            name: [
                None if grade is None else around.add(diamond.carat, {name: grade})
                for grade in neighbours
            ]
            for name, neighbours in grade_neighbours(diamond).items()
        }
        weights = [
            (around.add(just_below(carat)), around.add(carat))
            for carat in ladder_weights(diamond.carat, limits)
        ]
        curve = [around.add(carat) for carat in curve_weights(diamond.carat, limits)]
        table = DiamondTable.concatenate([around.table(), similar.stones])

        found = PriceDiamonds(served).many(table)
        price, low, high = _priced(found, own)

        def step(field: str, at: int) -> dict[str, Any]:
            changed, lowest, highest = _priced(found, at)
            return {
                "field": field,
                "value": around.rows[at][field],
                "stone": around.rows[at],
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
                    carat_below=around.rows[below]["carat"],
                    price_below=_priced(found, below)[0],
                )
                for below, at in weights
            ),
            curve=tuple(CurvePoint(around.rows[at]["carat"], *_priced(found, at)) for at in curve),
            comparables=compare_with_sold(
                similar.stones,
                found.prices[len(around.rows) :],
                same_grades=similar.price_distances is None,
                price=price,
                low=low,
                high=high,
                data=served.card.data,
            ),
            card=served.card,
        )


class _Around:
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


def _comparables(served: LoadedModel, diamond: Diamond) -> Similar:
    same = served.similar.nearest(diamond, COMPARED)
    return same if same.available >= COMPARED else nearest_in_price(served, diamond, COMPARED)


def _priced(found: Predictions, row: int) -> tuple[float, float, float]:
    """Return the price of a row and the ends of its range, in USD."""
    return float(found.prices[row]), float(found.lows[row]), float(found.highs[row])
