"""The periods in which each model was champion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from diamond_core.models.model_card import ModelId
from diamond_core.models.promotion import Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionPeriod:
    """A period in which a model was the champion; ``until`` is None for the current champion.

    ``by`` and ``reason`` say who promoted it and why.
    """

    model_id: ModelId
    since: datetime
    until: datetime | None
    by: str
    reason: str


def champion_periods(promotions: Iterable[Promotion]) -> list[ChampionPeriod]:
    """Return all periods, oldest first; promoting the champion again starts no new period."""
    starts: list[Promotion] = []
    for promotion in promotions:
        if not starts or starts[-1].model_id != promotion.model_id:
            starts.append(promotion)
    ends: list[datetime | None] = [each.at for each in starts[1:]]
    return [
        ChampionPeriod(
            model_id=each.model_id, since=each.at, until=until, by=each.by, reason=each.reason
        )
        for each, until in zip(starts, [*ends, None], strict=False)
    ]
