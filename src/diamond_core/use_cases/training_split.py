"""Split stones into those that train and those that judge; both can prefer new prices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import TooFewStones
from diamond_core.models.model_card import DataSummary
from diamond_core.models.price_level import PriceLevels
from diamond_core.stones.cleaning import RejectedRow
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.holdout import in_holdout
from diamond_core.stones.stone_records import Dates
from diamond_core.use_cases.compare_models import MINIMUM_HELD_OUT, check_held_out
from diamond_core.use_cases.training_stones import TrainingStones

MINIMUM_STONES: Final = 100
"""The minimum number of distinct stones."""
MINIMUM_SCORED: Final = 200
"""A window that holds fewer held-out stones is made longer, if there are older ones."""
MINIMUM_RECENT: Final = 1_000
"""The same for the training stones that price ranges are learned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSplit:
    """The stones of one training.

    Attributes:
        training: n stones to train on, at the prices that were paid.
        repriced: the same stones at the newest level of prices; see ``PriceLevels``.
        weights: their weights, above zero, shape (n,); None: all weigh the same.
        recent: whether each is of the window, so that price ranges are learned from it, shape (n,).
        holdout: held-out stones of the window, at about the newest level of prices.
        rejected: the rows that were not usable.
        summary: what the cards say about all this.
    """

    training: DiamondTable
    repriced: DiamondTable
    weights: Floats | None
    recent: NDArray[np.bool_]
    holdout: DiamondTable
    rejected: Sequence[RejectedRow]
    summary: DataSummary

    @classmethod
    def of(
        cls, stones: TrainingStones, *, half_life: float | None = None, window: float | None = None
    ) -> Self:
        """Split *stones*. Ages are counted from the newest price; without dates they are ignored.

        Raises:
            TooFewStones: there are too few distinct ones to train on, or to compare models on.
        """
        table, dates = stones.table, stones.dates
        distinct = table.distinct()  # copies teach nothing
        if distinct < MINIMUM_STONES:
            raise TooFewStones(distinct, MINIMUM_STONES, "distinct usable")
        held_out = in_holdout(table)
        if np.isnat(dates).all():
            half_life = window = None
        levels = PriceLevels.estimate(table[~held_out], dates[~held_out])
        scored = held_out & _newest(dates, held_out, window, MINIMUM_SCORED)
        scored = _at_the_newest_level(table, dates, scored, levels)
        recent = ~held_out & _newest(dates, ~held_out, window, MINIMUM_RECENT)
        check_held_out(table[scored])
        scored_since, scored_until = _span(dates[scored])
        priced_since, priced_until = _span(dates)
        summary = DataSummary(
            source=stones.source,
            digest=table.digest(),
            rows=len(table) + len(stones.rejected),
            rejected=len(stones.rejected),
            training_rows=int((~held_out).sum()),
            holdout_rows=int(scored.sum()),
            days=_days_digest(table, dates),
            version=stones.version,
            half_life=half_life,
            window=window,
            scored_since=scored_since,
            scored_until=scored_until,
            price_levels=() if levels is None else levels.as_pairs(),
            priced_since=priced_since,
            priced_until=priced_until,
        )
        weights = None
        if half_life is not None and len(np.unique(dates)) > 1:
            weights = weights_by_age(dates, half_life)[~held_out]
        training = table[~held_out]
        return cls(
            training=training,
            repriced=training if levels is None else levels.applied(training, dates[~held_out]),
            weights=weights,
            recent=recent[~held_out],
            holdout=table[scored],
            rejected=stones.rejected,
            summary=summary,
        )


def _span(dates: Dates) -> tuple[str, str]:
    """Return the first and the last known day, '' if none is known."""
    days = dates[~np.isnat(dates)]
    return (str(days.min()), str(days.max())) if len(days) else ("", "")


def _days_digest(table: DiamondTable, dates: Dates) -> str:
    """Return a digest of the day of each stone in whatever order, '' without dates."""
    if np.isnat(dates).all():
        return ""
    order = np.lexsort((dates, table.row_hashes()))
    return hashlib.sha256(dates[order].astype("<i8").tobytes()).hexdigest()[:16]


def weights_by_age(dates: Dates, half_life: float) -> Floats:
    """Return a weight for each price, 1 for the newest, shape (n,).

    It halves with every *half_life* days. A price without a date counts as the oldest one.
    """
    known = dates[~np.isnat(dates)]
    filled = np.where(np.isnat(dates), known.min(), dates)
    ages = (known.max() - filled).astype(np.int64)
    weights: Floats = np.maximum(np.exp2(-ages / half_life), 1e-6)
    return weights


def _at_the_newest_level(
    table: DiamondTable, dates: Dates, scored: NDArray[np.bool_], levels: PriceLevels | None
) -> NDArray[np.bool_]:
    """Return those of the *scored* stones that were paid for at about the newest level of prices.

    An earlier price is no test of a model of today's. If there are too few, earlier periods count.
    """
    for since in [] if levels is None else levels.stable_since():
        some: NDArray[np.bool_] = scored & (dates >= since)
        if table[some].distinct() >= MINIMUM_HELD_OUT:
            return some
    return scored


def _newest(
    dates: Dates, among: NDArray[np.bool_], window: float | None, minimum: int
) -> NDArray[np.bool_]:
    """Return which stones are of the last *window* days, or of more days until *minimum* are."""
    days = np.sort(dates[among & ~np.isnat(dates)])
    if window is None or not len(days):
        return np.ones(len(dates), dtype=bool)
    since = days[-1] - np.timedelta64(int(window), "D")
    if len(days) < minimum:
        return np.ones(len(dates), dtype=bool)
    newest: NDArray[np.bool_] = dates > min(since, days[-minimum] - np.timedelta64(1, "D"))
    return newest
