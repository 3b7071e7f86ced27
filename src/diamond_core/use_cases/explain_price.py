"""Explain the price of a stone."""

from __future__ import annotations

from dataclasses import replace

from diamond_core.errors import InvalidDiamond
from diamond_core.models.explanation import (
    PROPERTIES,
    Contribution,
    Explanation,
    coalitions,
    in_cents,
    shapley_values,
    typical_stone,
)
from diamond_core.stones.diamond import Diamond
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import LoadedModel
from diamond_core.use_cases.price_diamonds import Prediction, PriceDiamonds


class ExplainPrice:
    """Prices a stone, and says what each of its properties adds to the price of another stone."""

    def __init__(self, follower: ChampionFollower | LoadedModel) -> None:
        self._price_diamonds = PriceDiamonds(follower)

    def __call__(self, diamond: Diamond, compared_with: Diamond | None = None) -> Prediction:
        """Return the prediction of ``PriceDiamonds.one``, with its explanation.

        Without *compared_with*, the explanation starts at the typical stone of the model's training
        data; see ``typical_stone``. All 32 stones between the two are priced in one call of the model.

        Raises:
            NoChampion: no model is served.
            InvalidDiamond: nothing is known of stones of such a weight; that of *compared_with* is
                named ``compared_with/carat``.
        """
        served = self._price_diamonds.served()
        pricer = PriceDiamonds(served)
        other = compared_with or served.card.typical or typical_stone(served.similar.stones)
        problems = []
        for place, stone in (("", diamond), ("compared_with/", other)):
            refusal = served.support.refusal(stone.carat)
            if refusal is not None:
                problems.append(replace(refusal, field=place + refusal.field))
        if problems:
            raise InvalidDiamond(problems)
        prediction = pricer.one(diamond)
        prices = pricer.many(coalitions(diamond, other)).prices
        base = float(prices[0])
        amounts = in_cents(shapley_values(prices), prediction.price - base)
        explanation = Explanation(
            compared_with=other,
            is_typical=compared_with is None,
            base=base,
            contributions=tuple(map(Contribution, PROPERTIES, amounts)),
        )
        return replace(prediction, explanation=explanation)
