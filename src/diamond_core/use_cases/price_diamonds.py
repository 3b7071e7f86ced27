"""Price stones with the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import FieldProblem
from diamond_core.models.explanation import Explanation
from diamond_core.models.model_card import ModelCard, outside_range
from diamond_core.models.support import FEW
from diamond_core.stones.diamond import Diamond, reader_of
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import PRICE
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import LoadedModel

COMBINATION: Final = "combination"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted price of a stone.

    Attributes:
        price, low, high: the price and its range in USD, rounded to cents, above zero.
        assumed: fields that the model uses and that were not given.
        outside: what the price must be read with care for: the numbers that are outside the
            model's training range; "combination" if no stone of about this weight and these
            grades was seen; "price" if no known stone is as dear.
        warning: the same in words, or None.
        card: the model's card.
        explanation: why it has this price; only ``ExplainPrice`` gives it.
    """

    price: float
    low: float
    high: float
    assumed: list[str]
    outside: list[str]
    warning: str | None
    card: ModelCard
    explanation: Explanation | None = None

    @property
    def is_extrapolated(self) -> bool:
        """Whether no such stones are known, so that the coverage of its range is not."""
        return not {"carat", COMBINATION}.isdisjoint(self.outside)


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predicted prices of many stones: ``prices``, ``lows``, ``highs`` in USD, shape (n,).

    ``unseen`` says whose combination of weight and grades was not seen in training, shape (n,).
    """

    table: DiamondTable
    card: ModelCard
    prices: Floats
    lows: Floats
    highs: Floats
    unseen: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.prices)

    def assumed(self) -> list[list[str]]:
        """Return for each stone the fields that the model uses and that were not given."""
        measurements = self.card.price_ranges.measurements
        return _names_where({name: ~self.table.known(name) for name in measurements}, len(self))

    def outside(self) -> list[list[str]]:
        """Return for each stone what its price must be read with care for; see ``Prediction``."""
        masks = outside_range(self.table, self.card.training_range)
        none = np.zeros(len(self), dtype=bool)
        masks[COMBINATION] = self.unseen & ~masks.get("carat", none)
        masks[PRICE.name] = self.prices > self.card.price_ranges.dearest
        return _names_where(masks, len(self))

    def warnings(self, outside: Sequence[Sequence[str]]) -> list[str | None]:
        """Return in words what ``outside`` has returned, for each stone, or None."""
        said: dict[tuple[str, ...], str | None] = {(): None}
        found = list(map(tuple, outside))
        for names in set(found) - said.keys():
            said[names] = warning_of(names, self.card)
        return [said[names] for names in found]


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
            InvalidDiamond: nothing is known of a stone of this weight; see ``Support.refusal``.
        """
        served = self.served()
        card, ranges, support = served.card, served.card.price_ranges, served.support
        support.check(diamond)
        price, gap = float(served.model.price(diamond)[0]), support.gap(diamond)
        low, high = ranges.of(diamond, price, gap)
        outside = []
        for name, (minimum, maximum) in card.training_range.items():
            value = getattr(diamond, name, None)
            if value is not None and not minimum <= value <= maximum:
                outside.append(name)
        price = _cents(price)
        if (
            gap >= ranges.usual_gap + FEW
            and "carat" not in outside
            and not support.is_seen(diamond)
        ):
            outside.append(COMBINATION)
        if price > ranges.dearest:
            outside.append(PRICE.name)
        warning = warning_of(outside, card) if outside else None
        measurements = ranges.measurements
        given = reader_of(measurements)(diamond)
        assumed = [name for name, value in zip(measurements, given, strict=True) if value is None]
        return Prediction(price, _cents(low), _cents(high), assumed, outside, warning, card)

    def many(self, table: DiamondTable) -> Predictions:
        """Price a table of stones with one call of the model, also those of ``refusals``.

        Raises:
            NoChampion: no model is served.
        """
        served = self.served()
        prices, gaps = served.model.price(table), served.support.gaps(table)
        lows, highs = served.card.price_ranges.of_table(table, prices, gaps)
        unseen = gaps >= served.card.price_ranges.usual_gap + FEW
        unseen[unseen] = ~served.support.are_seen(table[unseen])
        return Predictions(
            table, served.card, _all_cents(prices), _all_cents(lows), _all_cents(highs), unseen
        )

    def refusals(self, table: DiamondTable) -> dict[int, FieldProblem]:
        """Return why some of the stones should not be priced, by their position.

        Raises:
            NoChampion: no model is served.
        """
        support, carats = self.served().support, table.carat
        problems = {
            int(at): support.refusal(float(carats[at]))
            for at in np.flatnonzero(support.refused(carats))
        }
        return {at: problem for at, problem in problems.items() if problem is not None}


def warning_of(outside: Sequence[str], card: ModelCard) -> str | None:
    """Return what the names in ``Prediction.outside`` mean, in a sentence; None without any."""
    said = []
    for name in outside:
        if name == COMBINATION:
            said.append("no stone of about this weight and these grades was seen in training")
        elif name == PRICE.name:
            dearest = card.price_ranges.dearest
            said.append(f"no known stone is as dear: the dearest cost ${dearest:,.0f}")
        else:
            minimum, maximum = card.training_range[name]
            said.append(f"{name} is outside the known stones' {minimum:g} to {maximum:g}")
    return f"Use this price with care: {'; '.join(said)}." if said else None


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
