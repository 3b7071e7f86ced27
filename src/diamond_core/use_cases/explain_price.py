"""Explain the price of a stone."""

from __future__ import annotations

from diamond_core.models.explanation import (
    PROPERTIES,
    Contribution,
    Explanation,
    coalitions,
    in_cents,
    shapley_values,
    typical_stone,
)
from diamond_core.models.model_card import ModelId
from diamond_core.stones.diamond import Diamond
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.price_diamonds import PriceDiamonds


class ExplainPrice:
    """Says what each property of a stone adds to the price of another one."""

    def __init__(self, follower: ChampionFollower) -> None:
        self._follower = follower
        self._typical: tuple[ModelId, Diamond] | None = None

    def __call__(self, diamond: Diamond, reference: Diamond | None = None) -> Explanation:
        """Explain the price of *diamond*, compared with *reference*.

        Without a reference, it is the typical stone of the model's training data; see
        ``typical_stone``. All 32 stones that are compared are priced in one call of the model.

        Raises:
            NoChampion: no model is served.
        """
        served = self._follower.get()
        other = reference
        if other is None:
            if self._typical is None or self._typical[0] != served.card.id:
                self._typical = served.card.id, typical_stone(served.similar.stones)
            other = self._typical[1]
        found = PriceDiamonds(served).many(coalitions(diamond, other))
        reference_price, price = float(found.prices[0]), float(found.prices[-1])
        amounts = in_cents(shapley_values(found.prices), price - reference_price)
        return Explanation(
            diamond=diamond,
            price=price,
            low=float(found.lows[-1]),
            high=float(found.highs[-1]),
            reference=other,
            reference_price=reference_price,
            is_typical=reference is None,
            contributions=tuple(map(Contribution, PROPERTIES, amounts)),
            card=served.card,
        )
