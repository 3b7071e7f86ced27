"""The distinct stones that were priced, so that only the hours with new requests must be read."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.profile import Profile
from diamond_core.monitoring.hourly_counts import HourCounts, hours_of
from diamond_core.monitoring.priced_stones import PricedStones, Times
from diamond_core.stones.diamond_table import DiamondTable

_HOUR: Final = timedelta(hours=1)
_MERGED_AT_ONCE: Final = 200_000
_COLUMNS: Final = ("stones", "times", "hours")


class CountedStones:
    """Each distinct stone as it was priced last, and which hours were read.

    It takes about 80 bytes for each distinct stone.
    """

    def __init__(self) -> None:
        self._table = DiamondTable.concatenate([])
        self._times: Times = np.empty(0, dtype="M8[us]")
        self._hours: dict[int, tuple[int, int]] = {}
        """Hour since 1970 -> the numbers of its requests and of the stones that were priced."""
        self._added: list[tuple[DiamondTable, Times]] = []
        """Stones that are not yet in the table."""

    def requests(self, hour: datetime) -> int:
        """Return how many requests of an *hour* were recorded when it was read; 0: it was not."""
        return self._hours.get(_number(hour), (0, 0))[0]

    def read(self, hour: datetime, requests: int, parts: Iterable[PricedStones]) -> None:
        """Take the stones that were priced in an *hour*, in place of those that it had.

        Args:
            hour: its beginning, in UTC.
            requests: how many requests are recorded in it.
            parts: all stones that were priced in it.
        """
        number, stones = _number(hour), 0
        if number in self._hours:
            self._merge()
            self._select(hours_of(self._times) != number)
        for part in parts:
            rows = part.table.rows_of_today()
            rows["price"] = part.prices
            self._added.append((DiamondTable(rows), part.times))
            stones += len(part)
            if sum(len(table) for table, _ in self._added) >= _MERGED_AT_ONCE:
                self._merge()
        self._hours[number] = requests, stones

    def forget(self, before: datetime) -> None:
        """Forget the hours *before* this one."""
        self._merge()
        first = _number(before)
        self._select(hours_of(self._times) >= first)
        self._hours = {hour: each for hour, each in self._hours.items() if hour >= first}

    def hours(
        self, profile: Profile, training_range: Mapping[str, tuple[float, float]]
    ) -> tuple[HourCounts, ...]:
        """Return the counts of each hour with any stone; see ``HourCounts.count``."""
        self._merge()
        priced = {hour: stones for hour, (_, stones) in self._hours.items() if stones}
        return HourCounts.count(self._table, self._times, priced, profile, training_range)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what ``to_bytes`` stored.

        Raises:
            ValueError: it is something else.
        """
        found = cls()
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                rows, found._times, hours = (file[name] for name in _COLUMNS)
        except Exception as ex:  # numpy and zipfile raise many
            raise ValueError(f"these are no counted stones: {ex}") from ex
        found._table = DiamondTable(rows)
        found._hours = {hour: (requests, stones) for hour, requests, stones in hours.tolist()}
        return found

    def to_bytes(self) -> bytes:
        """Return it as the bytes of an NPZ file."""
        self._merge()
        hours = np.array([(hour, *each) for hour, each in self._hours.items()], dtype=np.int64)
        arrays = (self._table.rows, self._times, hours.reshape(-1, 3))
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **dict(zip(_COLUMNS, arrays, strict=True)))
        return buffer.getvalue()

    def _merge(self) -> None:
        """Move the added stones to the table, and keep the last of equal ones."""
        if not self._added:
            return
        tables, times = zip((self._table, self._times), *self._added, strict=True)
        self._table, self._times = DiamondTable.concatenate(tables), np.concatenate(times)
        self._added.clear()
        hashes = self._table.stone_hashes()
        order = np.lexsort((self._times, hashes))
        is_last = np.append(hashes[order][1:] != hashes[order][:-1], True)
        self._select(np.sort(order[is_last]))

    def _select(self, selection: NDArray[Any]) -> None:
        self._table, self._times = self._table[selection], self._times[selection]


def _number(hour: datetime) -> int:
    return int(hour.timestamp()) // int(_HOUR.total_seconds())
