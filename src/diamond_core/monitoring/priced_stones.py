"""Stones that the service priced, with its answers, as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.requests.exchange import Exchange
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.stone_records import Texts

Times = NDArray[np.datetime64]
"""Times in UTC, of the type ``datetime64[us]``."""


@dataclass(frozen=True, slots=True)
class PricedStones:
    """n stones that the service priced, as the record has them.

    Attributes:
        table: the stones, without prices, n rows.
        ids: the id of each prediction, shape (n,).
        times: when each was priced, shape (n,).
        models: the id of the model that priced each, shape (n,).
        keys: the name of the API key of each request, '' without one, shape (n,).
        prices, lows, highs: the prices and their ranges in USD, as they were answered, shape (n,).
    """

    table: DiamondTable
    ids: Texts
    times: Times
    models: Texts
    keys: Texts
    prices: Floats
    lows: Floats
    highs: Floats

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, selection: slice | NDArray[Any]) -> PricedStones:
        """Return the selected stones, by a mask or by positions."""
        return PricedStones(*(getattr(self, name)[selection] for name in self.__slots__))

    @classmethod
    def concatenate(cls, parts: Sequence[PricedStones]) -> Self:
        """Return the stones of all *parts*, in order; there must be one part at least."""
        tables, *columns = zip(
            *([getattr(each, name) for name in cls.__slots__] for each in parts), strict=True
        )
        return cls(DiamondTable.concatenate(tables), *map(np.concatenate, columns))


ReadPriced = Callable[[Iterable[Exchange]], Iterator[PricedStones]]
"""Reads the stones and prices in exchanges, in their order, some thousand at a time.

An exchange without prices, or whose bodies were not kept completely, is left out.
"""


_PRICED: Final = ("/v1/predictions", "/v1/explanations")


def priced(
    since: datetime | None = None, until: datetime | None = None
) -> tuple[ExchangeFilter, ...]:
    """Return the filters of the exchanges that can have prices; ``read_requests`` takes them."""
    return tuple(
        ExchangeFilter(path=path, status="200", since=since, until=until) for path in _PRICED
    )
