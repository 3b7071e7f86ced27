"""Price stones with the champion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diamond_core.diamond import LIMITS, MEASUREMENTS, Diamond
from diamond_core.diamond_table import DiamondTable, Floats
from diamond_core.model_card import ModelCard
from diamond_core.use_cases.serve_champion import Champion


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a stone is worth.

    Attributes:
        price, low, high: the price and its range in USD, to the cent, above zero.
        assumed: measurements that were not given.
        outside: numbers that lie outside what the model was trained on.
        card: the model that priced.
    """

    price: float
    low: float
    high: float
    assumed: list[str]
    outside: list[str]
    card: ModelCard


class PriceDiamonds:
    """Price one stone, or many at once, with the champion of the moment."""

    def __init__(self, champion: Champion) -> None:
        self._champion = champion

    def one(self, diamond: Diamond) -> Valuation:
        """Price one stone; the same as the first of ``many``, sooner.

        Raises:
            NoChampion: no model has been trained yet.
        """
        served = self._champion.get()
        card = served.card
        price = float(served.model.price(DiamondTable.from_diamonds((diamond,)))[0])
        low, high = card.price_ranges.of(diamond, price)
        outside = []
        for name, (least, most) in card.training_range.items():
            value = getattr(diamond, name)
            if value is not None and not least <= value <= most:
                outside.append(name)
        return Valuation(_cents(price), _cents(low), _cents(high), diamond.unknown, outside, card)

    def many(self, table: DiamondTable) -> Valuations:
        """Price a table of stones with one call of the model.

        Raises:
            NoChampion: no model has been trained yet.
        """
        served = self._champion.get()
        prices = served.model.price(table)
        lows, highs = served.card.price_ranges.of_table(table, prices)
        return Valuations(
            table, served.card, _all_cents(prices), _all_cents(lows), _all_cents(highs)
        )


@dataclass(frozen=True, slots=True)
class Valuations:
    """What many stones are worth: ``prices``, ``lows`` and ``highs`` in USD, shape (n,)."""

    table: DiamondTable
    card: ModelCard
    prices: Floats
    lows: Floats
    highs: Floats

    def __len__(self) -> int:
        return len(self.prices)

    def __iter__(self) -> Iterator[Valuation]:
        columns = (self.prices.tolist(), self.lows.tolist(), self.highs.tolist())
        names = (self.assumed(), self.outside())
        for price, low, high, assumed, outside in zip(*columns, *names, strict=True):
            yield Valuation(price, low, high, assumed, outside, self.card)

    def assumed(self) -> list[list[str]]:
        """Return for each stone the measurements that were not given."""
        unknown = {name: np.isnan(self.table.column(name)) for name in MEASUREMENTS}
        return _names_where(unknown, len(self))

    def outside(self) -> list[list[str]]:
        """Return for each stone the numbers outside what the model was trained on."""
        beyond = {}
        for name in LIMITS:
            if name in self.card.training_range:
                least, most = self.card.training_range[name]
                column = self.table.column(name)
                beyond[name] = (column < least) | (column > most)
        return _names_where(beyond, len(self))


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
    return max(round(amount * 100.0) / 100.0, 0.01)  # to the same cent as numpy rounds


def _all_cents(amounts: Floats) -> Floats:
    return np.maximum(np.round(amounts, 2), 0.01)
