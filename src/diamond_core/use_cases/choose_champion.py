"""Decide which model is served, by merit or by hand, and keep the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from diamond_core.errors import ModelDamaged, NothingToRollBack
from diamond_core.model_card import ModelCard, ModelId, Promotion
from diamond_core.ports import Clock, ModelRepository
from diamond_core.use_cases.serve_champion import load_for_serving

_log = logging.getLogger(__name__)


class ChooseChampion:
    """Promote models: the best challenger, one chosen by hand, or the champion of before."""

    def __init__(self, repository: ModelRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    def by_merit(
        self, challengers: Sequence[ModelCard], *, against: ModelId | None, by: str
    ) -> ModelId | None:
        """Promote the challenger of the least hold-out error, if it beats the champion.

        *against* is the champion that their cards compare them with, on the same stones; to win
        against it takes more than noise. None: there is none that works, and the best
        challenger wins. A model that was champion before is no challenger: whoever took it
        down had a reason. Nor does one win that can't be served, or where someone has promoted
        another model since the comparison. Return the champion.
        """
        present = self._repository.champion()
        if against is not None and present != against:
            return present
        former = {promotion.model_id for promotion in self._repository.promotions()}
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
                return self.promote(best.id, reason=reason, by=by)
            except ModelDamaged as ex:
                _log.warning("%s; it is not promoted", ex)
        return present

    def promote(self, id: ModelId, *, reason: str, by: str) -> ModelId:
        """Make *id* the champion.

        Raises:
            ModelNotFound: there is no such model.
            ModelDamaged: it can't be served, so it is not promoted.
            Conflict: someone else promoted another meanwhile.
        """
        load_for_serving(self._repository, id)
        previous = self._repository.champion()
        self._repository.promote(
            Promotion(model_id=id, at=self._clock(), by=by, reason=reason, previous=previous)
        )
        return id

    def roll_back(self, *, by: str, reason: str = "") -> ModelId:
        """Make the champion of before the present one champion again.

        Rolling back twice goes back two champions: what has been rolled back is not gone back to.

        Raises:
            NothingToRollBack: there was none.
            ModelDamaged: the champion of before can't be served.
        """
        reign: list[ModelId] = []
        for promotion in self._repository.promotions():
            if promotion.model_id in reign:
                del reign[reign.index(promotion.model_id) + 1 :]
            else:
                reign.append(promotion.model_id)
        if len(reign) < 2:
            raise NothingToRollBack
        return self.promote(reign[-2], reason=reason or f"rolled back from {reign[-1]}", by=by)


def _beats(card: ModelCard, champion: ModelId) -> bool:
    comparison = card.comparison
    return comparison is not None and comparison.champion == champion and comparison.is_better
