"""Price stones with the champion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

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


class Remark(NamedTuple):
    """What is said beside a price, as in ``Prediction``."""

    assumed: list[str]
    outside: list[str]
    warning: str | None


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

    def remarks(self) -> tuple[list[Remark], NDArray[np.intp]]:
        """Return every different remark once, and which of them is each stone's, shape (n,)."""
        assumed = {name: ~self.table.known(name) for name in self.card.price_ranges.measurements}
        outside = outside_range(self.table, self.card.training_range)
        none = np.zeros(len(self), dtype=bool)
        outside[COMBINATION] = self.unseen & ~outside.get("carat", none)
        outside[PRICE.name] = self.prices > self.card.price_ranges.dearest
        codes = np.zeros(len(self), dtype=np.int64)
        for bit, mask in enumerate((*assumed.values(), *outside.values())):
            codes |= mask.astype(np.int64) << bit
        different, which = np.unique(codes, return_inverse=True)
        remarks = []
        for code in different.tolist():
            names = _names(outside, code >> len(assumed))
            warning = warning_of(names, self.card) if names else None
            remarks.append(Remark(_names(assumed, code), names, warning))
        return remarks, which

    def assumed(self) -> list[list[str]]:
        """Return for each stone the fields that the model uses and that were not given."""
        remarks, which = self.remarks()
        return [remarks[at].assumed for at in which.tolist()]

    def outside(self) -> list[list[str]]:
        """Return for each stone what its price must be read with care for; see ``Prediction``."""
        remarks, which = self.remarks()
        return [remarks[at].outside for at in which.tolist()]


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


def _names(masks: Iterable[str], code: int) -> list[str]:
    """Return those of the names whose bit in *code* is 1."""
    return [name for bit, name in enumerate(masks) if code >> bit & 1]


def _cents(amount: float) -> float:
    return max(round(amount * 100.0) / 100.0, 0.01)  # the same rounding as numpy's


def _all_cents(amounts: Floats) -> Floats:
    return np.maximum(np.round(amounts, 2), 0.01)
