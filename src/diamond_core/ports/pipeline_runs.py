"""The history of the pipeline's runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from diamond_core.models.pipeline_run import PipelineRun


class PipelineRuns(Protocol):
    """Keeps runs of the pipeline. Processes can share it. Raises ``Unavailable`` if it fails."""

    def save(self, run: PipelineRun) -> None:
        """Keep *run*, in place of what was kept with its id."""
        ...

    def runs(self, limit: int | None = None) -> Sequence[PipelineRun]:
        """Return the last *limit* runs, or all, newest first; what can't be read is skipped."""
        ...


Notify = Callable[[Mapping[str, Any]], None]
"""Tells someone what happened: plain values with ``event`` and ``text``. It raises nothing."""


def notify_nobody(event: Mapping[str, Any]) -> None:
    """Tell nobody."""
