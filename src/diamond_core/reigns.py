"""Who was champion when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diamond_core.model_card import ModelId, Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Reign:
    """A time in which a model was the champion; ``until`` is None for the present one.

    ``by`` and ``reason`` tell who promoted it and why.
    """

    model_id: ModelId
    since: datetime
    until: datetime | None
    by: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the model's id is left out."""
        return {
            "from": self.since.isoformat(),
            "to": None if self.until is None else self.until.isoformat(),
            "by": self.by,
            "reason": self.reason,
        }


def reigns(promotions: Iterable[Promotion]) -> list[Reign]:
    """Return all reigns, oldest first; promoting the champion once more begins no new one."""
    begun: list[Promotion] = []
    for promotion in promotions:
        if not begun or begun[-1].model_id != promotion.model_id:
            begun.append(promotion)
    ends: list[datetime | None] = [each.at for each in begun[1:]]
    return [
        Reign(model_id=each.model_id, since=each.at, until=until, by=each.by, reason=each.reason)
        for each, until in zip(begun, [*ends, None], strict=False)
    ]
