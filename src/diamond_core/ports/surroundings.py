"""The time, and whoever watches long work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Returns the present time in UTC."""

Progress = Callable[[str, float], None]
"""Gets what is being done and which share of it (0 to 1) is done."""


def no_progress(doing: str, share: float) -> None:
    """Ignore progress."""
