"""How much the request log's database keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Retention:
    """What the destination keeps.

    Attributes:
        keep: how long it keeps an exchange; None: without limit.
        limit: the size in bytes from which on exchanges are kept without their bodies; 0: no limit.
    """

    keep: timedelta | None = None
    limit: int = 0

    def __str__(self) -> str:
        return f"{self.keep or 'for good'} {self.limit}"


EVERYTHING: Final = Retention()
"""No limit."""
