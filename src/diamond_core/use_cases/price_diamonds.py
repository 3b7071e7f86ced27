"""Price stones with the champion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diamond_core.models.explanation import Explanation
from diamond_core.models.model_card import ModelCard, outside_range
from diamond_core.stones.diamond import Diamond, reader_of
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import LoadedModel


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted price of a stone.

    Attributes:
        price, low, high: the price and its range in USD, rounded to cents, above zero.
        assumed: fields that the model uses and that were not given.
        outside: numbers that are outside the model's training range.
        card: the model's card.
        explanation: why it has this price; only ``ExplainPrice`` gives it.
    """

    price: float
    low: float
    high: float
    assumed: list[str]
    outside: list[str]
    card: ModelCard
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predicted prices of many stones: ``prices``, ``lows``, ``highs`` in USD, shape (n,)."""

    table: DiamondTable
    card: ModelCard
    prices: Floats
    lows: Floats
    highs: Floats

    def __len__(self) -> int:
        return len(self.prices)

    def assumed(self) -> list[list[str]]:
        """Return for each stone the fields that the model uses and that were not given."""
        measurements = self.card.price_ranges.measurements
        return _names_where({name: ~self.table.known(name) for name in measurements}, len(self))

    def outside(self) -> list[list[str]]:
        """Return for each stone the numbers outside the model's training range."""
        return _names_where(outside_range(self.table, self.card.training_range), len(self))


class PriceDiamonds:
    """Prices one stone, or many at once, with the current champion."""

    def __init__(self, follower: ChampionFollower | LoadedModel) -> None:
        self._follower = follower

    @property
    def card(self) -> ModelCard:
        """The card of the model that prices now; raises ``NoChampion`` if there is none."""
        return self.served().card

    def pinned(self) -> PriceDiamonds:
        """Return a pricer that keeps today's champion, even if another model is promoted.

        Raises:
            NoChampion: no model is served.
        """
        return PriceDiamonds(self.served())

    def served(self) -> LoadedModel:
        """Return the model that prices now.

        Raises:
            NoChampion: no model is served.
        """
        follower = self._follower
        return follower if isinstance(follower, LoadedModel) else follower.get()

    def one(self, diamond: Diamond) -> Prediction:
        """Price one stone; the same result as ``many``, but faster.

        Raises:
            NoChampion: no model is served.
        """
        served = self.served()
        card = served.card
        price = float(served.model.price(diamond)[0])
        low, high = card.price_ranges.of(diamond, price)
        outside = []
        for name, (minimum, maximum) in card.training_range.items():
            value = getattr(diamond, name, None)
            if value is not None and not minimum <= value <= maximum:
                outside.append(name)
        measurements = card.price_ranges.measurements
        given = reader_of(measurements)(diamond)
        assumed = [name for name, value in zip(measurements, given, strict=True) if value is None]
        return Prediction(_cents(price), _cents(low), _cents(high), assumed, outside, card)

    def many(self, table: DiamondTable) -> Predictions:
        """Price a table of stones with one call of the model.

        Raises:
            NoChampion: no model is served.
        """
        served = self.served()
        prices = served.model.price(table)
        lows, highs = served.card.price_ranges.of_table(table, prices)
        return Predictions(
            table, served.card, _all_cents(prices), _all_cents(lows), _all_cents(highs)
        )


def _names_where(masks: dict[str, np.ndarray], size: int) -> list[list[str]]:
    """Return for each row the names whose mask is true there; equal rows share their list."""
    codes = np.zeros(size, dtype=np.int64)
    for bit, mask in enumerate(masks.values()):
        codes |= mask.astype(np.int64) << bit
    lists = {
        code: [name for bit, name in enumerate(masks) if code >> bit & 1]
        for code in np.unique(codes).tolist()
    }
    return [lists[code] for code in codes.tolist()]


def _cents(amount: float) -> float:
    return max(round(amount * 100.0) / 100.0, 0.01)  # the same rounding as numpy's


def _all_cents(amounts: Floats) -> Floats:
    return np.maximum(np.round(amounts, 2), 0.01)
