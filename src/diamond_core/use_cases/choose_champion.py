"""Decide which model is served, by its error or by hand, and record the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from diamond_core.errors import ModelDamaged, ModelNotFound, NothingToRollBack
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.models.promotion import rollback_line
from diamond_core.ports import Clock
from diamond_core.use_cases.model_history import ModelHistory

_log = logging.getLogger(__name__)


class ChooseChampion:
    """Promotes the best challenger, a model chosen by hand, or the previous champion."""

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
        """Promote the best of the challengers that beat *against*, by their hold-out error.

        *against* is the served model. The challengers' cards compare them with it on the same
        stones; a challenger must be significantly better. None: no model can be served, and the
        best challenger is promoted. *present* is the model that was promoted last when the
        comparison was made. A model that was champion before is not eligible, because it was
        replaced for a reason; nor is a model that can't be served. Return the champion.

        Raises:
            Conflict: someone else has promoted another model since the comparison.
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
        """Promote *id* to champion.

        Raises:
            ModelNotFound: the model does not exist.
            ModelDamaged: it can't be served, so it is not promoted.
            Conflict: someone else promoted another model meanwhile.
        """
        return self._promote(id, previous=self._history.champion(), reason=reason, by=by)

    def roll_back(self, *, by: str, reason: str = "") -> ModelId:
        """Make the previous champion the champion again.

        Two rollbacks go back two champions: a champion that was rolled back does not count. A
        champion that can't be served any more is skipped.

        Raises:
            NothingToRollBack: no earlier champion can be served.
            Conflict: someone else promoted another model meanwhile.
        """
        line = rollback_line(self._history.promotions())
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
                _log.warning("%s; it is skipped", ex)
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
