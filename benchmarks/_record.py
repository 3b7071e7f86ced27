"""Fill a request log with stones that were priced."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from recorded import priced_exchange

from diamond_core import Exchange, RequestLog

__all__ = ["fill", "priced_exchange"]

_AT_ONCE = 5_000


def fill(log: RequestLog, exchanges: Iterable[Exchange]) -> None:
    """Append all *exchanges*, some thousand at a time."""
    rest = iter(exchanges)
    while some := list(islice(rest, _AT_ONCE)):
        log.append_all(some)
