"""A request archive that looks only once what waits in the journal is in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from diamond_core.exchange import ExchangeFilter
from diamond_core.ports import RequestArchive
from diamond_core.traffic import Traffic


class SettledRequestArchive:
    """A ``RequestArchive`` over the *database*'s, which calls *settle* before each look."""

    def __init__(self, database: RequestArchive, settle: Callable[[], None]) -> None:
        self._database = database
        self._settle = settle

    def count(self, wanted: ExchangeFilter) -> int:
        self._settle()
        return self._database.count(wanted)

    def prune(self, before: datetime, *, most: int) -> int:
        self._settle()
        return self._database.prune(before, most=most)

    def traffic(self, wanted: ExchangeFilter) -> Sequence[Traffic]:
        self._settle()
        return self._database.traffic(wanted)
