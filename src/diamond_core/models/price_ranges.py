"""Price ranges that cover the true price with a stated probability: split-conformal prediction.

The relative error for a stone that the model was not trained on is |log(price / predicted)|. A
score is this error divided by the usual error of such stones. The ``coverage`` quantile of the
scores of out-of-fold predictions, times the usual error of a new stone, is half the width of its
range on the log scale (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, 2018, section 5.2: locally
weighted conformal inference). The usual error is learned twice: with all measurements, and with
carat, cut, color and clarity only; a stone with an unknown measurement gets the wider range.

Where fewer stones like this one are known than is usual, the range grows with the square root of what
the gap in their prices, see ``support``, is wider than the usual one: as the standard deviation of a
random walk grows with its length. A score is what is left of an error after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Final, Self

import numpy as np

from diamond_core.models.error_scale import ErrorScale
from diamond_core.models.support import Effects, Support, effects_of
from diamond_core.stones.diamond import Diamond, reader_of
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import OPTIONAL

COVERAGE: Final = 0.9
GROWTH: Final = 0.35
"""Half of a range grows by this times the square root of the excess gap, see
``benchmarks/sparse.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRanges:
    """How wide a price range is for a stone and its predicted price.

    Attributes:
        coverage: the target share of true prices inside the ranges.
        measured: the error scale if all measurements are known.
        unmeasured: the error scale if no measurement is known.
        measurements: the fields that the model uses and that can be unknown.
        dearest: the highest known price, in USD.
        effects: what gaps are measured with, see ``Support``.
        usual_gap: the median of the training stones' own gaps, if they were not known themselves.
    """

    coverage: float
    measured: ErrorScale
    unmeasured: ErrorScale
    measurements: tuple[str, ...]
    dearest: float
    effects: Effects
    usual_gap: float

    @classmethod
    def calibrate(
        cls,
        table: DiamondTable,
        out_of_fold: Floats,
        out_of_fold_four_cs: Floats,
        features: Sequence[str],
        *,
        support: Support | None = None,
        coverage: float = COVERAGE,
    ) -> Self:
        """Learn the ranges from prices (USD, shape (n,)) predicted out of fold.

        *out_of_fold_four_cs* are predicted from carat, cut, color and clarity alone; *features* are
        the fields that the model uses; *support* is that of all training stones, by default
        of *table*.
        """
        support = support or Support(table, effects_of(table))
        gaps = support.gaps_without(table)
        usual_gap = float(np.median(gaps))
        growth = _growths(gaps, usual_gap)
        return cls(
            coverage=coverage,
            measured=ErrorScale.learn(table, out_of_fold, coverage, growth),
            unmeasured=ErrorScale.learn(table, out_of_fold_four_cs, coverage, growth),
            measurements=tuple(name for name in features if name in OPTIONAL),
            dearest=float(table.price.max()),
            effects=support.effects,
            usual_gap=usual_gap,
        )

    def of(self, diamond: Diamond, price: float, gap: float = 0.0) -> tuple[float, float]:
        """Return the low and high end, in USD, of the range of one stone's *price*.

        *gap* is the ``Support.gap`` of the stone.
        """
        half = self.measured.bound(diamond, price)
        if None in reader_of(self.measurements)(diamond):
            half = max(half, self.unmeasured.bound(diamond, price))
        if gap > self.usual_gap:
            half += GROWTH * sqrt(gap - self.usual_gap)
        width = exp(half)
        return price / width, price * width

    def of_table(
        self, table: DiamondTable, prices: Floats, gaps: Floats | float = 0.0
    ) -> tuple[Floats, Floats]:
        """Return the low and high ends, in USD and of shape (n,), for many stones.

        *gaps* are their ``Support.gaps``.
        """
        half = self.measured.bounds(table, prices)
        unmeasured = np.zeros(len(table), dtype=bool)
        for name in self.measurements:
            unmeasured |= ~table.known(name)
        if unmeasured.any():
            wider = np.maximum(half, self.unmeasured.bounds(table, prices))
            half = np.where(unmeasured, wider, half)
        width = np.exp(half + _growths(gaps, self.usual_gap))
        return prices / width, prices * width


def _growths(gaps: Floats | float, usual_gap: float) -> Floats:
    """Return how much half of each range grows, on the log scale."""
    growths: Floats = GROWTH * np.sqrt(np.maximum(gaps - usual_gap, 0.0))
    return growths
