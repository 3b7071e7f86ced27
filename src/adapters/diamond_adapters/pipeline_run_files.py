"""Runs of the pipeline as JSON files in a folder: one file a run, replaced as a whole."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from diamond_adapters.private_files import create_file, create_folder
from diamond_core import PipelineRun, Unavailable

_SUFFIX: Final = ".json"
_log = logging.getLogger(__name__)


class PipelineRunFiles:
    """``PipelineRuns`` in a folder of this host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, run: PipelineRun) -> None:
        draft = self._folder / f".{run.id}.{os.getpid()}"
        try:
            create_folder(self._folder)
            create_file(draft)
            with draft.open("wb") as file:
                file.write(run.to_json())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / f"{run.id}{_SUFFIX}")
        except OSError as ex:
            with suppress(OSError):
                draft.unlink()
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
