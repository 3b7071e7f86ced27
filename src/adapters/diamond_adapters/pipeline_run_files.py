"""Runs of the pipeline as JSON files in a folder: one file a run, replaced as a whole."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from diamond_adapters.whole_files import replace_file
from diamond_core import PipelineRun, Unavailable

_SUFFIX: Final = ".json"
_log = logging.getLogger(__name__)


class PipelineRunFiles:
    """``PipelineRuns`` in a folder of this host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, run: PipelineRun) -> None:
        try:
            replace_file(self._folder / f"{run.id}{_SUFFIX}", run.to_json())
        except OSError as ex:
            raise Unavailable(
                f"the pipeline's run could not be stored: {ex.strerror or ex}"
            ) from ex

    def runs(self, limit: int | None = None) -> Sequence[PipelineRun]:
        try:
            paths = sorted(self._folder.glob(f"[!.]*{_SUFFIX}"), reverse=True)[:limit]
            texts = [(path, path.read_bytes()) for path in paths]
        except OSError as ex:
            raise Unavailable(f"the pipeline's runs can't be read: {ex.strerror or ex}") from ex
        found = []
        for path, text in texts:
            try:
                found.append(PipelineRun.from_json(text))
            except ValueError as ex:
                _log.warning("%s can't be read: %s", path, ex)
        return found
