"""What was computed about the requests, as two files of this host."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from diamond_adapters.whole_files import replace_file
from diamond_core import CountedStones, Monitoring, Unavailable

_log = logging.getLogger(__name__)

_Kept = TypeVar("_Kept")


class MonitoringFile:
    """``MonitoringStore`` in a folder. What readers ask for is read again only after a change."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "monitoring.json"
        self._counted = folder / "monitoring.npz"
        self._read: tuple[object, Monitoring | None] = (None, None)

    def save(self, monitoring: Monitoring) -> None:
        _save(self._path, monitoring.to_json())

    def load(self) -> Monitoring | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as ex:
            raise _not_read(ex) from ex
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        if version != self._read[0]:
            self._read = (version, _load(self._path, Monitoring.from_json))
        return self._read[1]

    def save_counted(self, counted: CountedStones) -> None:
        _save(self._counted, counted.to_bytes())

    def load_counted(self) -> CountedStones | None:
        return _load(self._counted, CountedStones.from_bytes)


def _save(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data)
    except OSError as ex:
        raise Unavailable(f"the monitoring can't be stored: {ex.strerror or ex}") from ex


def _load(path: Path, decode: Callable[[bytes], _Kept]) -> _Kept | None:
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as ex:
        raise _not_read(ex) from ex
    except ValueError as ex:
        _log.warning("%s can't be read: %s", path, ex)
        return None


def _not_read(ex: OSError) -> Unavailable:
    return Unavailable(f"the monitoring can't be read: {ex.strerror or ex}")
