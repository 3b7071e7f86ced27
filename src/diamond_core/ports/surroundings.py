"""The time, and the progress of long work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Returns the current time in UTC."""

Progress = Callable[[str, float], None]
"""Gets the current step and the share of the work (0 to 1) that is done."""


def no_progress(step: str, share: float) -> None:
    """Ignore progress."""
