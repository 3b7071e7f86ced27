"""The profile of a model's training data: how often each value occurs, in a few bins a field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import FIELDS, GRADES, OPTIONAL, PRICE, REQUIRED

_PRICE: Final = PRICE.name
PROFILED: Final = (*FIELDS, _PRICE)
"""What a profile counts: the fields, then the price."""

_BINS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FourCs:
    """The distinct weights and grades that about equally many training stones share.

    Attributes:
        times: the mean number of stones that share one.
        distinct: the number of distinct ones.
        counts: how many of them are in each bin, by field: the 4 Cs and the price.
        log_price: the mean natural logarithm of the price in USD.
    """

    times: float
    distinct: int
    counts: Mapping[str, tuple[int, ...]]
    log_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The distributions of training stones.

    Attributes:
        stones: the number of stones.
        edges: the inner edges of the bins of each number and of the price (USD), increasing. A
            value at an edge belongs to the bin above it. The bins have about equally many stones;
            there are fewer bins where many stones have the same value.
        counts: the number of stones in each bin, by field; those of a grade are its grades.
        unknown: the share of stones without a value, by optional field.
        log_price: the mean natural logarithm of the price in USD.
        four_cs: the same for distinct weights and grades, by how many stones share one.
    """

    stones: int
    edges: Mapping[str, tuple[float, ...]]
    counts: Mapping[str, tuple[int, ...]]
    unknown: Mapping[str, float]
    log_price: float
    four_cs: tuple[FourCs, ...] = ()

    @classmethod
    def of(cls, table: DiamondTable) -> Self:
        """Return the profile of stones with prices."""
        edges = {name: _edges(table.column(name)) for name in PROFILED if name not in GRADES}
        sizes = {name: len(inner) + 1 for name, inner in edges.items()}
        sizes |= {name: len(field.grades) for name, field in GRADES.items()}
        profile = cls(
            stones=len(table),
            edges=edges,
            counts={name: (0,) * sizes[name] for name in PROFILED},
            unknown={name: float(1.0 - table.known(name).mean()) for name in OPTIONAL},
            log_price=float(np.log(table.price).mean()),
        )
        counts = {name: profile.count(name, table.column(name)) for name in PROFILED}
        return replace(profile, counts=counts, four_cs=tuple(profile.shared_four_cs(table)))

    def shared_four_cs(self, table: DiamondTable) -> Iterator[FourCs]:
        """Yield the weights and grades of *table*: those of one stone, of 2 to 3, of 4 to 7, ..."""
        table = table[np.argsort(table.stone_hashes())]  # any of them stands for the others
        _, firsts, times = np.unique(table.four_cs_hashes(), return_index=True, return_counts=True)
        powers = np.log2(times).astype(int)
        for power in np.unique(powers):
            some = table[firsts[powers == power]]
            yield FourCs(
                times=float(times[powers == power].mean()),
                distinct=len(some),
                counts={name: self.count(name, some.column(name)) for name in (*REQUIRED, _PRICE)},
                log_price=float(np.log(some.price).mean()),
            )

    def count(self, name: str, values: NDArray[Any]) -> tuple[int, ...]:
        """Return the number of known values in each bin."""
        bins = self.bins(name, values)
        return tuple(np.bincount(bins[bins >= 0], minlength=len(self.counts[name])).tolist())

    def bins(self, name: str, values: NDArray[Any]) -> NDArray[np.intp]:
        """Return the bin of each value of what *name* names, -1 for unknown, shape (n,)."""
        if name in GRADES:
            numbers = values.astype(np.intp)
            return np.where(numbers < len(self.counts[name]), numbers, -1)
        return np.where(np.isnan(values), -1, np.searchsorted(self.edges[name], values, "right"))


def _edges(values: NDArray[np.float64]) -> tuple[float, ...]:
    known = values[~np.isnan(values)]
    if not len(known):
        return ()
    shares = np.arange(1, _BINS) / _BINS
    found = np.unique(np.quantile(known, shares, method="inverted_cdf"))
    return tuple(found[found > known.min()].tolist())
