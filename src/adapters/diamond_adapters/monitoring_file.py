"""What was computed about the requests, as one JSON file of this host."""

from __future__ import annotations

import logging
from pathlib import Path

from diamond_adapters.private_files import replace_file
from diamond_core import Monitoring, Unavailable

_log = logging.getLogger(__name__)


class MonitoringFile:
    """``MonitoringStore`` in a file. It is read again only after a change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[object, Monitoring | None] = (None, None)

    def save(self, monitoring: Monitoring) -> None:
        try:
            replace_file(self._path, monitoring.to_json())
        except OSError as ex:
            raise Unavailable(f"the monitoring can't be stored: {ex.strerror or ex}") from ex

    def load(self) -> Monitoring | None:
        try:
            status = self._path.stat()
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            before, found = self._read
            if version != before:
                found = self._decode(self._path.read_bytes())
                self._read = (version, found)
        except FileNotFoundError:
            return None
        except OSError as ex:
            raise Unavailable(f"the monitoring can't be read: {ex.strerror or ex}") from ex
        return found

    def _decode(self, text: bytes) -> Monitoring | None:
        try:
            return Monitoring.from_json(text)
        except ValueError as ex:
            _log.warning("%s can't be read: %s", self._path, ex)
            return None
