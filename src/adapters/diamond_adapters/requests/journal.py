"""The journal: what this process appends before its responses leave, in files of its own."""

from __future__ import annotations

import errno
import os
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from diamond_adapters.requests.entries import pack
from diamond_adapters.requests.segment import FIRST, Segment, sync_folder
from diamond_adapters.requests.tally import Tally
from diamond_core.errors import Unavailable
from diamond_core.requests.exchange import Exchange

_SEGMENT_BYTES: Final = 16 << 20
_WORTH_REMOVING: Final = 1 << 20
_OLD_SECONDS: Final = 60.0


class Journal:
    """The files of this process under *folder*; threads may share it.

    Args:
        folder: where the files of all workers lie.
        durable: whether an entry survives a power cut, or only the death of the process.
        limit: the most bytes that the files of all workers may take together.
        tally: counts what is lost.
    """

    def __init__(self, folder: Path, *, durable: bool, limit: int, tally: Tally) -> None:
        self._limit = limit
        self._folder = folder
        self._durable = durable
        self._tally = tally
        self._segment_bytes = max(min(_SEGMENT_BYTES, limit // 16), FIRST)
        self._live: Segment | None = None
        self._full: list[Segment] = []
        self.forget()

    def forget(self) -> None:
        """Leave all files to others, and begin anew, as after a fork."""
        # A descriptor kept in a forked child would keep the lock of its dead parent's file.
        for segment in self.segments():
            segment.close()
        self._live, self._full = None, []
        self._short_of_room = False
        self._others_bytes = 0
        self._lock = threading.Lock()
        self._seed = secrets.randbits(32)

    def append(self, exchange: Exchange) -> None:
        """Write the exchange to this process's file.

        Raises:
            Unavailable: it was not kept, and is counted as lost.
        """
        entry = pack(exchange, self._seed)
        try:
            with self._lock:
                segment = self._room_for(len(entry))
                end = segment.append(entry)
            if self._durable:
                self._sync(segment, end)
        except OSError as ex:
            self._short_of_room = True
            self._tally.add(lost=1)
            raise Unavailable(f"the journal can't be written ({ex.strerror})") from ex

    def segments(self) -> list[Segment]:
        """Return this process's files, oldest first."""
        live = self._live
        return [*self._full, live] if live is not None else [*self._full]

    def look_around(self) -> None:
        """See what others' files take; to be called about once a second."""
        self._others_bytes = max(0, bytes_in(self._folder) - self._own_bytes())

    def drop_shipped(self, *, all_of_it: bool = False) -> None:
        """Remove the files that are wholly shipped; one in use only where that is worth it."""
        with self._lock:
            for segment in [*self._full]:
                if segment.shipped >= segment.end:
                    self._full.remove(segment)
                    segment.remove()
            live = self._live
            if live is not None and live.shipped >= live.end:
                old = time.monotonic() - live.born > _OLD_SECONDS
                if all_of_it or old or self._short_of_room or live.end >= _WORTH_REMOVING:
                    self._live = None
                    self._short_of_room = False
                    live.remove()

    def close(self) -> None:
        """Leave the files to whoever adopts them; an append would begin a new one."""
        self.drop_shipped(all_of_it=True)
        with self._lock:
            segments, self._live, self._full = self.segments(), None, []
        for segment in segments:
            if self._durable:
                with suppress(OSError):
                    segment.sync(segment.end)
            segment.close()

    def _room_for(self, size: int) -> Segment:
        if self._own_bytes() + self._others_bytes + size > self._limit:
            self.look_around()  # others may have made room since
            if self._own_bytes() + self._others_bytes + size > self._limit:
                raise OSError(errno.ENOSPC, "it is at its limit")
        live = self._live
        if live is not None and (live.end + size <= self._segment_bytes or live.end == FIRST):
            return live
        fresh = self._create()
        if live is not None:
            self._full.append(live)
        self._live = fresh
        return fresh

    def _own_bytes(self) -> int:
        return sum(segment.end for segment in self.segments())

    def _create(self) -> Segment:
        try:
            return Segment.create(self._folder, self._seed, durable=self._durable)
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._durable:
                sync_folder(self._folder.parent)
            return Segment.create(self._folder, self._seed, durable=self._durable)

    def _sync(self, segment: Segment, end: int) -> None:
        try:
            segment.sync(end)
        except OSError:
            # What a failed sync leaves behind is unknown, so nothing more goes into this file.
            with self._lock:
                if self._live is segment:
                    self._live = None
                    self._full.append(segment)
            raise


def bytes_in(folder: Path) -> int:
    """Return what the files in the folder take, and those of its sub-folders."""
    size = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # gone meanwhile
                is_folder = entry.is_dir(follow_symlinks=False)
                size += bytes_in(Path(entry.path)) if is_folder else entry.stat().st_size
    return size
