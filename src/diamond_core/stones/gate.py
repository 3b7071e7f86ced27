"""The gate: whether a delivery may train, or waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from diamond_core.stones.cleaning import NO_STONES
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.known_stones import SortedStones

MINIMUM_STONES: Final = 5
"""The minimum number of stones for a statement about a level."""
SAMPLE: Final = 1_000
"""How many stones of a batch are enough for it."""
MAXIMUM_SAMPLE: Final = 20_000
MINIMUM_RENAMED: Final = 10
WEIGHT_FACTOR: Final = 4.0
EDGES: Final = tuple(np.round(np.geomspace(1 / 16, 16.0, 49), 4).tolist())
"""The limits of the bars in a picture of ratios: six bars for each doubling."""

Pricer = Callable[[DiamondTable], Floats]
"""Returns what stones are worth, in USD, shape (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """What the gate accepts.

    Attributes:
        rejected: the maximum share of rejected rows.
        factor: the maximum factor between prices and what the champion says, both ways.
    """

    rejected: float = 0.1
    factor: float = 1.5


class LevelSample:
    """A sample of stones, to compare their weights and prices with others."""

    def __init__(self) -> None:
        self._parts: list[DiamondTable] = []

    def add(self, table: DiamondTable) -> None:
        """Take up to ``SAMPLE`` stones, spread over *table*."""
        self._parts.append(_thinned(table, SAMPLE))

    @property
    def table(self) -> DiamondTable:
        """The stones of the sample, at most ``MAXIMUM_SAMPLE``."""
        return _thinned(DiamondTable.concatenate(self._parts), MAXIMUM_SAMPLE)


def _thinned(table: DiamondTable, maximum: int) -> DiamondTable:
    if len(table) <= maximum:
        return table
    return table[np.linspace(0, len(table) - 1, maximum).astype(np.intp)]


def levels(
    delivered: DiamondTable, stored: DiamondTable, worth: Pricer | None
) -> dict[str, dict[str, Any]]:
    """Compare a sample of a delivery with one of the store.

    Return ``price``, the prices against what *worth* says (the store's prices by weight, without
    *worth*), and ``carat``, the weights against the store's median, each as ``level``, the median
    ratio, and the counts of ratios between ``EDGES`` as ``delivered`` and ``stored``. What can't be
    compared is left out.
    """
    found: dict[str, dict[str, Any]] = {}
    if len(delivered) < MINIMUM_STONES:
        return found
    if worth is not None:
        of_stored = stored.price / worth(stored) if len(stored) else stored.price
        found["price"] = _level(delivered.price / worth(delivered), of_stored)
    if len(stored) < MINIMUM_STONES:
        return found
    if worth is None:
        per_carat = np.median(stored.price / stored.carat)
        found["price"] = _level(
            delivered.price / delivered.carat / per_carat, stored.price / stored.carat / per_carat
        )
    typical = np.median(stored.carat)
    found["carat"] = _level(delivered.carat / typical, stored.carat / typical)
    return found


def _level(delivered: Floats, stored: Floats) -> dict[str, Any]:
    def counts(ratios: Floats) -> list[int]:
        inside = np.clip(ratios, EDGES[0], np.nextafter(EDGES[-1], 0.0))
        found: list[int] = np.histogram(inside, EDGES)[0].tolist()
        return found

    return {
        "level": round(float(np.median(delivered)), 4),
        "delivered": counts(delivered),
        "stored": counts(stored),
    }


def why_held(
    *,
    missing: list[str],
    rows: int,
    reasons: Mapping[str, int],
    rejected: int,
    sorted_stones: SortedStones,
    levels: Mapping[str, Mapping[str, Any]],
    is_first: bool,
    limits: GateLimits,
) -> str:
    """Return every reason why a person must look at a delivery, or ''.

    *missing* names the required columns that it lacks, *rejected* is the number of rejected rows of
    its *rows*, *reasons* counts them by reason. The first delivery of a store is not held for its
    *levels*: there is nothing that it must fit.
    """
    if missing:
        return f"the columns {', '.join(missing)} are missing"
    found = [_bad_rows(rows, reasons, rejected, limits)]
    if not is_first:
        found += [_odd_ids(sorted_stones), *_odd_levels(levels, limits)]
    return "; ".join(filter(None, found))


def _bad_rows(rows: int, reasons: Mapping[str, int], rejected: int, limits: GateLimits) -> str:
    harmless = sum(reasons.get(each, 0) for each in NO_STONES)
    bad, of = rejected - harmless, rows - harmless
    if bad > limits.rejected * of:
        return f"{bad:,} of {of:,} rows ({bad / of:.0%}) are not usable"
    return ""


def _odd_ids(found: SortedStones) -> str:
    renamed, matched = int(found.renamed.sum()), int(found.matched.sum())
    if renamed >= MINIMUM_RENAMED and renamed > matched / 2:
        return (
            f"{renamed:,} of {matched:,} known ids now name stones of another weight or other"
            " grades: are they line numbers?"
        )
    return ""


def _odd_levels(found: Mapping[str, Mapping[str, Any]], limits: GateLimits) -> list[str]:
    problems = []
    price = found.get("price", {}).get("level", 1.0)
    if not 1.0 / limits.factor <= price <= limits.factor:
        problems.append(
            f"the prices are {price:.3g} times what these stones are worth:"
            " are they in USD, and for whole stones?"
        )
    weight = found.get("carat", {}).get("level", 1.0)
    if not 1.0 / WEIGHT_FACTOR <= weight <= WEIGHT_FACTOR:
        problems.append(f"the weights are {weight:.3g} times those of before: are they in carats?")
    return problems
