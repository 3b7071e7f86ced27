"""Deleting what the record has kept for long enough."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Final

from diamond_core.exchange import ExchangeFilter
from diamond_core.ports import Progress, RequestArchive, no_progress

BATCH: Final = 200
_PAUSE_SECONDS: Final = 0.02


def prune_record(
    archive: RequestArchive, before: datetime, progress: Progress = no_progress
) -> int:
    """Delete all exchanges that occurred *before*; return how many.

    In small batches with a pause after each, so that whoever writes waits for a batch at most.

    Raises:
        Unavailable: the record failed; what is deleted stays deleted.
    """
    expected = archive.count(ExchangeFilter(until=before))
    pause = threading.Event()
    pruned = 0
    while batch := archive.prune(before, most=BATCH):
        pruned += batch
        progress(f"deleting {expected:,} exchanges", min(pruned / max(expected, 1), 1.0))
        pause.wait(_PAUSE_SECONDS)
    return pruned
