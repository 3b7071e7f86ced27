"""A request log that answers at once and reaches its database a moment later."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from diamond_adapters.requests.delivery import PoisonBox
from diamond_adapters.requests.journal import Journal
from diamond_adapters.requests.journal_status import Census
from diamond_adapters.requests.shipper import Shipper
from diamond_adapters.requests.tally import Tally
from diamond_core.errors import Unavailable
from diamond_core.ports import RequestLog
from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth

DEFAULT_LIMIT: Final = 1 << 30
_PAUSE_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 1.0
_PROBE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 2.0
_SETTLE_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 3.0
_SETTLE_ALONE_SECONDS: Final = 600.0

_log = logging.getLogger(__name__)


class JournalledRequestLog:
    """A ``RequestLog`` in front of another one, the database's.

    ``append`` writes to a journal file of this process and returns; a thread, begun by ``start``,
    moves the entries into the database. Reading first moves what waits, so that what was
    appended, by whichever process of this home, is seen. Without ``start``, reading and
    ``close`` move the entries.

    Args:
        database: where the exchanges go.
        folder: where the journal's files lie; workers that share it work together.
        durable: an entry survives a power cut, not only the death of the process.
        limit: the most bytes that the journal may take.
    """

    def __init__(
        self,
        database: RequestLog,
        folder: Path,
        *,
        durable: bool = False,
        limit: int = DEFAULT_LIMIT,
    ) -> None:
        self._database = database
        self._tally = Tally(folder / "tally")
        poison = PoisonBox(folder / "poison")
        self._journal = Journal(folder, durable=durable, limit=limit, tally=self._tally)
        self._shipper = Shipper(folder, self._journal, database, poison, self._tally)
        self._census = Census(folder, limit, poison, self._tally)
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._away = ""
        self._forked = False
        _call_after_fork(weakref.ref(self))

    def append(self, exchange: Exchange) -> None:
        if self._forked:
            self._forked = False
            self.start()
        self._journal.append(exchange)

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        for exchange in exchanges:
            self.append(exchange)

    def find(
        self,
        filter: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        self._flush()
        return self._database.find(filter, limit=limit, before=before, bodies=bodies)

    def count(self, filter: ExchangeFilter) -> int:
        self._flush()
        return self._database.count(filter)

    def prune(self, before: datetime, *, limit: int) -> int:
        self._flush()
        return self._database.prune(before, limit=limit)

    def health(self) -> RequestLogHealth:
        return self._census.health(self._away)

    def _flush(self) -> None:
        """Move what waits in the journal, whichever process of this home wrote it.

        Raises:
            Unavailable: the database can't be written.
        """
        alone = self._thread is None  # nobody else will do it
        self._shipper.settle(_SETTLE_ALONE_SECONDS if alone else _SETTLE_SECONDS)

    def start(self) -> None:
        if self._thread is None:
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stop,), name="ship-journal", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Move what waits for a few seconds; leave the rest to other workers or the next start."""
        deadline = time.monotonic() + _CLOSE_SECONDS
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
            if self._thread.is_alive():
                return  # it waits for the database; the end of the process lets go of the files
            self._thread = None
        try:
            if not self._away:  # else it may hang for longer than there is time
                self._shipper.settle(max(0.0, deadline - time.monotonic()), others=False)
        except (Unavailable, OSError) as ex:
            _log.warning("exchanges stay in the journal until the next start: %s", ex)
        self._shipper.forget()
        self._journal.close()
        self._database.close()

    def _after_fork(self) -> None:
        self._journal.forget()
        self._shipper.forget()
        self._census.forget()
        self._tally.forget()
        self._forked = self._thread is not None
        self._thread = None

    def _run(self, stop: threading.Event) -> None:
        pause = _PAUSE_SECONDS
        looked = probed = -_PROBE_SECONDS
        while True:
            now = time.monotonic()
            try:
                look = now - looked >= _LOOK_SECONDS
                if look:
                    looked = now
                    self._look_around()
                if self._away or now - probed >= _PROBE_SECONDS:
                    probed = now
                    self._database.find(ExchangeFilter(), limit=1, bodies=False)
                self._shipper.ship(stop, adopt=look)
                if self._away:
                    _log.warning("the request record's database is back")
                self._away, pause = "", _PAUSE_SECONDS
            except Unavailable as ex:
                if not self._away:
                    _log.error("exchanges wait in the journal: %s", ex)
                self._away = str(ex)
                pause = min(pause * 2.0, _LONGEST_PAUSE_SECONDS)
            except Exception as ex:  # a bug here must not end the shipping
                _log.exception("could not ship the journal")
                self._away = f"{type(ex).__name__}: {ex}"
                pause = _LONGEST_PAUSE_SECONDS
            if stop.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311  # spreads the workers
                return

    def _look_around(self) -> None:
        self._tally.add()
        self._journal.look_around()


def _call_after_fork(log: weakref.ref[JournalledRequestLog]) -> None:
    def forget() -> None:
        present = log()
        if present is not None:
            present._after_fork()  # noqa: SLF001  # the class's own hook

    os.register_at_fork(after_in_child=forget)
