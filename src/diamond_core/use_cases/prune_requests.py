"""Delete old exchanges."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Final

from diamond_core.ports import Progress, RequestLog, no_progress
from diamond_core.requests.exchange_filter import ExchangeFilter

BATCH: Final = 200
_PAUSE_SECONDS: Final = 0.02


def prune_requests(log: RequestLog, before: datetime, progress: Progress = no_progress) -> int:
    """Delete all exchanges that occurred *before*; return their number.

    It works in small batches with a pause after each, so that a writer waits for one batch at most.

    Raises:
        Unavailable: the log failed; earlier batches stay deleted.
    """
    expected = log.count(ExchangeFilter(until=before))
    pause = threading.Event()
    pruned = 0
    while batch := log.prune(before, limit=BATCH):
        pruned += batch
        progress(f"deleting {expected:,} exchanges", min(pruned / max(expected, 1), 1.0))
        pause.wait(_PAUSE_SECONDS)
    return pruned
