"""The promotion of a model to champion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from diamond_core.models.model_card import SCHEMA, ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """The promotion of a model to champion: which model, when, by whom and why.

    Attributes:
        number: its number in the history, counted from 1.
        previous: the model of the previous promotion, or None for the first.
        rolled_back: whether it is a rollback; the champions between no longer count for rollbacks.
    """

    number: int
    model_id: ModelId
    at: datetime
    by: str
    reason: str
    previous: ModelId | None = None
    rolled_back: bool = False
    schema: int = SCHEMA


def rollback_line(promotions: Iterable[Promotion]) -> list[ModelId]:
    """Return the champions through which rollbacks go back, oldest first; the last is champion.

    *promotions* are in the order of their numbers. A champion that was rolled back is left out.
    """
    line: list[ModelId] = []
    for promotion in promotions:
        if promotion.rolled_back and promotion.model_id in line:
            last = len(line) - 1 - line[::-1].index(promotion.model_id)
            del line[last + 1 :]
        elif line[-1:] != [promotion.model_id]:
            line.append(promotion.model_id)
    return line
