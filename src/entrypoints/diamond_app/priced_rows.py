"""Price raw rows of stones: a row gets a price and its range, or the reason why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypeVar

import numpy as np

from diamond_core import PriceDiamonds, RawStones, clean
from diamond_core.stones.cleaning import kind_of
from diamond_core.stones.diamond_table import Floats

ADDED: Final = ("predicted_price", "price_low", "price_high", "error", "warning")
"""The columns that a priced file has after its own."""

_Part = TypeVar("_Part")
_Priced = TypeVar("_Priced")


@dataclass(frozen=True, slots=True)
class PricedFile:
    """How many rows of a file were priced, how many were not and why, and the model.

    Attributes:
        reasons: why rows were not priced, and how many have each reason, see ``summed``.
    """

    good: int
    bad: int
    reasons: Mapping[str, int]
    model_id: str


@dataclass(frozen=True, slots=True)
class PricedRows:
    """The new cells of some rows.

    Attributes:
        amounts: the price and the low and the high end of its range, in USD, shape (n, 3); NaN in a
            row that is not priced.
        notes: the error and the warning of each row; '' for none.
    """

    amounts: Floats
    notes: Sequence[tuple[str, str]]

    @classmethod
    def of(
        cls, columns: Mapping[str, Sequence[object]], size: int, price_diamonds: PriceDiamonds
    ) -> Self:
        """Price *size* rows of raw *columns*, see ``RawStones``."""
        cleaned = clean(RawStones("", columns, range(size)), priced=False)
        errors = {row.line: "; ".join(row.reasons) for row in cleaned.rejected}
        amounts = np.full((size, 3), np.nan)
        good = np.ones(size, dtype=bool)
        good[list(errors)] = False
        priced = price_diamonds.many(cleaned.table)
        amounts[good] = np.column_stack((priced.prices, priced.lows, priced.highs))
        remarks, which = priced.remarks()
        notes = np.full(size, None, dtype=object)
        said = np.empty(len(remarks), dtype=object)
        said[:] = [("", remark.warning or "") for remark in remarks]
        notes[good] = said[which]
        refused = price_diamonds.refusals(cleaned.table)
        places = np.flatnonzero(good)
        for at, problem in refused.items():
            errors[int(places[at])] = f"{problem.field}: {problem.detail}"
        amounts[list(errors)] = np.nan
        for at, error in errors.items():
            notes[at] = (error, "")
        return cls(amounts, notes.tolist())

    def spread(self, places: Sequence[int], errors: Mapping[int, str]) -> Self:
        """Return these rows at their *places* among others, which have only *errors*."""
        amounts = np.full((len(self.notes) + len(errors), 3), np.nan)
        amounts[places] = self.amounts
        notes = dict(zip(places, self.notes, strict=True))
        notes |= {at: (error, "") for at, error in errors.items()}
        return type(self)(amounts, [notes[at] for at in range(len(amounts))])

    @property
    def good(self) -> int:
        """How many rows are priced."""
        return int(np.count_nonzero(~np.isnan(self.amounts[:, 0])))

    @property
    def reasons(self) -> Counter[str]:
        """Why rows are not priced, and how many have each reason, see ``summed``."""
        return summed(Counter(error for error, _ in self.notes if error))


def summed(*reasons: Mapping[str, int]) -> Counter[str]:
    """Add up how often there is a reason.

    Of reasons that differ only in the values of their rows, the first one stands for all.
    """
    first: dict[str, str] = {}
    found: Counter[str] = Counter()
    for some in reasons:
        for reason, count in some.items():
            found[first.setdefault(kind_of(reason), reason)] += count
    return found


class PriceParts(Protocol):
    """Prices the parts of a file, and returns them in their order."""

    def __call__(
        self, price: Callable[[_Part, PriceDiamonds], _Priced], parts: Iterable[_Part]
    ) -> Iterator[_Priced]:
        """Yield what *price* makes of each of the *parts*; nothing is kept of them."""
        ...


def in_this_thread(price_diamonds: PriceDiamonds) -> PriceParts:
    """Return a ``PriceParts`` that prices one part after the other."""

    def price_parts(
        price: Callable[[_Part, PriceDiamonds], _Priced], parts: Iterable[_Part]
    ) -> Iterator[_Priced]:
        return (price(part, price_diamonds) for part in parts)

    return price_parts
