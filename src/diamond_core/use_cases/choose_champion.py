"""Decide which model is served, by merit or by hand, and keep the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from diamond_core.errors import ModelDamaged, ModelNotFound, NothingToRollBack
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.ports import Clock
from diamond_core.use_cases.model_history import ModelHistory

_log = logging.getLogger(__name__)


class ChooseChampion:
    """Promote models: the best challenger, one chosen by hand, or the previous champion."""

    def __init__(self, history: ModelHistory, clock: Clock) -> None:
        self._history = history
        self._clock = clock

    def by_merit(
        self,
        challengers: Sequence[ModelCard],
        *,
        against: ModelId | None,
        present: ModelId | None,
        by: str,
    ) -> ModelId | None:
        """Promote the challenger of the lowest hold-out error, if it beats the champion.

        *against* is the model that serves, with which their cards compare them on the same stones;
        to win against it takes more than noise. None: no model can serve, and the best challenger
        wins. *present* is the model that was promoted last when the comparison was made. A model
        that was champion before is no challenger: it was replaced for a reason. Nor is one that
        can't be served. Return the champion.

        Raises:
            Conflict: somebody else has promoted another since the comparison.
        """
        former = {promotion.model_id for promotion in self._history.promotions()}
        eligible = [
            card
            for card in challengers
            if card.id not in former and (against is None or _beats(card, against))
        ]
        for best in sorted(eligible, key=lambda card: card.metrics.mae):
            reason = f"hold-out MAE {best.metrics.mae:.2f} USD"
            if against is not None and best.comparison is not None:
                reason += f" against the champion's {best.comparison.champion_mae:.2f} USD"
            try:
                return self._promote(best.id, previous=present, reason=reason, by=by)
            except ModelDamaged as ex:
                _log.warning("%s; it is not promoted", ex)
        return self._history.champion()

    def promote(self, id: ModelId, *, reason: str, by: str) -> ModelId:
        """Make *id* the champion.

        Raises:
            ModelNotFound: there is no such model.
            ModelDamaged: it can't be served, so it is not promoted.
            Conflict: somebody else promoted another meanwhile.
        """
        return self._promote(id, previous=self._history.champion(), reason=reason, by=by)

    def roll_back(self, *, by: str, reason: str = "") -> ModelId:
        """Make the previous champion the champion again.

        Rolling back twice goes back two champions: what was rolled back does not count. A champion
        that can't be served any more is passed over.

        Raises:
            NothingToRollBack: there was none.
            Conflict: somebody else promoted another meanwhile.
        """
        line: list[ModelId] = []
        for promotion in self._history.promotions():
            if promotion.rolled_back and promotion.model_id in line:
                last = len(line) - 1 - line[::-1].index(promotion.model_id)
                del line[last + 1 :]
            elif line[-1:] != [promotion.model_id]:
                line.append(promotion.model_id)
        for id in reversed(line[:-1]):
            try:
                return self._promote(
                    id,
                    previous=line[-1],
                    reason=reason or f"rolled back from {line[-1]}",
                    by=by,
                    rolled_back=True,
                )
            except (ModelDamaged, ModelNotFound) as ex:
                _log.warning("%s; it is passed over", ex)
        raise NothingToRollBack

    def _promote(
        self,
        id: ModelId,
        *,
        previous: ModelId | None,
        reason: str,
        by: str,
        rolled_back: bool = False,
    ) -> ModelId:
        self._history.load(id)
        promotion = self._history.promote(
            id, previous=previous, at=self._clock(), by=by, reason=reason, rolled_back=rolled_back
        )
        return promotion.model_id


def _beats(card: ModelCard, champion: ModelId) -> bool:
    comparison = card.comparison
    return comparison is not None and comparison.champion == champion and comparison.is_better
