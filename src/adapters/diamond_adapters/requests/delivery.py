"""Handing entries to the database, and setting aside those that it refuses."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from diamond_adapters.requests.entries import Entry, UnreadableEntry, pack_payload, unpack
from diamond_adapters.requests.segment import SUFFIX, Segment
from diamond_core.errors import Refused, Unavailable
from diamond_core.ports import RequestLog
from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter

_DAMAGED: Final = ".damaged"
_REASON: Final = ".txt"

_log = logging.getLogger(__name__)

Refusals = list[tuple[Entry, str]]
"""Entries with the reason why each can't be recorded."""


def hand_over(database: RequestLog, entries: Sequence[Entry]) -> tuple[int, Refusals, Refusals]:
    """Append the entries; return how many are recorded, and which failed and which are refused.

    An entry that failed may have met a lock or an ill database, though the database answers: to
    judge that is the caller's. A refused one can be recorded at no time.

    Raises:
        Unavailable: the database does not answer.
    """
    exchanges: list[tuple[Entry, Exchange]] = []
    refused: Refusals = []
    for entry in entries:
        try:
            exchanges.append((entry, unpack(entry.payload)))
        except UnreadableEntry as ex:
            refused.append((entry, str(ex)))
    failed: Refusals = []
    _append(database, exchanges, failed, refused)
    return len(entries) - len(failed) - len(refused), failed, refused


def _append(
    database: RequestLog,
    exchanges: Sequence[tuple[Entry, Exchange]],
    failed: Refusals,
    refused: Refusals,
) -> None:
    if not exchanges:
        return
    kind = failed
    try:
        database.append_all([exchange for _, exchange in exchanges])
    except Refused as ex:
        kind, reason = refused, str(ex)
    except Unavailable as ex:
        database.find(ExchangeFilter(), limit=1, bodies=False)  # raises where it is away
        reason = str(ex)
    except Exception as ex:  # a value that the driver can't take, in whatever way it says so
        reason = f"{type(ex).__name__}: {ex}"
    else:
        return
    if len(exchanges) == 1:
        kind.append((exchanges[0][0], reason))
        return
    middle = len(exchanges) // 2
    for part in (exchanges[:middle], exchanges[middle:]):
        _append(database, part, failed, refused)


class PoisonBox:
    """A folder of entries that can't be recorded.

    Each is a journal file of its own: moved up into the journal's folder, it is shipped again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def set_aside(self, entry: Entry, reason: str, seed: int) -> None:
        """Keep the entry with the reason; setting it aside again changes nothing.

        Raises:
            OSError: it could not be kept here.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(entry.payload).hexdigest()[:32]
        path = self._folder / f"{name}{SUFFIX}"
        if path.exists():
            return
        segment = Segment.create(self._folder, seed, durable=True)
        try:
            segment.append(pack_payload(entry.payload, seed))
            segment.sync(segment.end)
            segment.path.rename(path)
        except OSError:
            segment.remove()
            raise
        segment.close()
        with suppress(OSError):
            path.with_suffix(_REASON).write_text(f"{reason}\n", encoding="utf-8")
        _log.error("an exchange can't be recorded and was set aside in %s: %s", path, reason)

    def set_damaged_aside(self, data: bytes) -> None:
        """Keep bytes of a journal file that make no entry, though entries follow them.

        Raises:
            OSError: they could not be kept here.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{hashlib.sha256(data).hexdigest()[:32]}{_DAMAGED}"
        path.write_bytes(data)
        _log.error("a damaged part of the journal was set aside in %s", path)

    def count(self) -> int:
        """Return how many entries and damaged parts there are."""
        with suppress(OSError):
            return sum(path.suffix in (SUFFIX, _DAMAGED) for path in self._folder.iterdir())
        return 0
