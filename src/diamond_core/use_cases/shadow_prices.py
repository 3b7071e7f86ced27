"""Let a shadow price what the champion priced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np

from diamond_core.errors import DiamondError, Unavailable
from diamond_core.models.model_card import ModelId
from diamond_core.monitoring.outcome import Outcome
from diamond_core.monitoring.priced_stones import PricedStones
from diamond_core.monitoring.shadow import ShadowComparison, ShadowPrice
from diamond_core.ports import ShadowLog
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.price_diamonds import PriceDiamonds

_AT_ONCE: Final = 1000


class ShadowPrices:
    """Prices recorded stones again with the shadow, and keeps its prices.

    Args:
        log: where they are kept.
        history: where the shadow is.
        shadow: its id; None: there is none.
    """

    def __init__(self, log: ShadowLog, history: ModelHistory, shadow: ModelId | None) -> None:
        self._log = log
        self._history = history
        self._shadow = shadow
        self._pricer: PriceDiamonds | None = None
        self.problem = ""
        """Why the shadow can't price, or ''."""

    def start(self) -> None:
        """Load the shadow; if it can't price, that is its ``problem``."""
        self._pricer, self.problem = None, ""
        if self._shadow is None:
            return
        try:
            self._pricer = PriceDiamonds(self._history.load(self._shadow))
        except DiamondError as ex:
            self.problem = f"the shadow does not price: {ex}"

    def of(self, parts: Iterable[PricedStones]) -> Iterator[PricedStones]:
        """Yield *parts*, after the shadow's prices of their stones are kept.

        What the shadow itself priced, or has priced already, is left out.

        Raises:
            Unavailable: they can't be kept.
        """
        for part in parts:
            if self._pricer is not None:
                for start in range(0, len(part), _AT_ONCE):
                    self._price(part[start : start + _AT_ONCE], self._pricer)
            yield part

    def prune(self, before: datetime) -> None:
        """Delete the prices of stones that were priced *before*, of all shadows.

        Raises:
            Unavailable: some are left.
        """
        self._log.prune(before)

    def compare(self, outcomes: Iterable[Outcome]) -> tuple[ShadowComparison, ...]:
        """Compare all shadows with the models that answered; see ``ShadowComparison.of``.

        Args:
            outcomes: one for each prediction whose paid price is known.

        Raises:
            Unavailable: their prices can't be read.
        """
        paid = {each.id: each.price_paid for each in outcomes}
        return ShadowComparison.of(self._log.read(), paid)

    def _price(self, stones: PricedStones, pricer: PriceDiamonds) -> None:
        shadow = pricer.card.id
        new = stones.models != shadow
        ids = stones.ids[new].tolist()
        known = {each.id for each in self._log.of(ids) if each.shadow_model_id == shadow}
        new &= np.array([id not in known for id in stones.ids.tolist()])
        some = stones[new]
        if not len(some):
            return
        try:
            prices = pricer.many(some.table).prices
        except DiamondError as ex:
            if isinstance(ex, Unavailable):
                raise
            self.problem = f"the shadow does not price: {ex}"
            return
        self._log.add(
            [
                ShadowPrice(
                    id=id,
                    priced_at=at.replace(tzinfo=UTC),
                    model_id=model,
                    price=price,
                    shadow_model_id=shadow,
                    shadow_price=shadow_price,
                )
                for id, at, model, price, shadow_price in zip(
                    some.ids.tolist(),
                    some.times.tolist(),
                    some.models.tolist(),
                    some.prices.tolist(),
                    prices.tolist(),
                    strict=True,
                )
            ]
        )
