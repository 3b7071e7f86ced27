"""A model's becoming the champion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from diamond_core.models.model_card import SCHEMA, ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A model's becoming the champion: which, when, by whom and why.

    Attributes:
        number: its place in the history, counted from 1.
        previous: the model of the promotion before it, or None for the first.
        rolled_back: it went back to an earlier champion, and what came after that one does not count.
    """

    number: int
    model_id: ModelId
    at: datetime
    by: str
    reason: str
    previous: ModelId | None = None
    rolled_back: bool = False
    schema: int = SCHEMA
