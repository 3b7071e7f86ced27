"""The promotion of a model to champion."""

from __future__ import annotations

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
