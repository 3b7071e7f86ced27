"""Price ranges that cover the true price with a stated probability: split-conformal prediction.

The relative error for a stone that the model was not trained on is |log(price / predicted)|. A
score is this error divided by the usual error of such stones. The ``coverage`` quantile of the
scores of out-of-fold predictions, times the usual error of a new stone, is half the width of its
range on the log scale (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, 2018, section 5.2: locally
weighted conformal inference). The usual error is learned twice: with all measurements, and with
carat, cut, color and clarity only; a stone with an unknown measurement gets the wider range. The
data says nothing about weights outside the training weights: there the range grows by the full
factor between the stone's weight and the nearest training weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final, Self

import numpy as np

from diamond_core.models.error_scale import ErrorScale
from diamond_core.stones.diamond import Diamond, reader_of
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import OPTIONAL

COVERAGE: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRanges:
    """How wide a price range is for a stone and its predicted price.

    Attributes:
        coverage: the target share of true prices inside the ranges.
        measured: the error scale if all measurements are known.
        unmeasured: the error scale if no measurement is known.
        measurements: the fields that the model uses and that can be unknown.
        carats: the minimum and the maximum weight of the stones that the errors were learned from.
    """

    coverage: float
    measured: ErrorScale
    unmeasured: ErrorScale
    measurements: tuple[str, ...]
    carats: tuple[float, float]

    @classmethod
    def calibrate(
        cls,
        table: DiamondTable,
        out_of_fold: Floats,
        out_of_fold_four_cs: Floats,
        features: Sequence[str],
        *,
        coverage: float = COVERAGE,
    ) -> Self:
        """Learn the ranges from prices (USD, shape (n,)) predicted out of fold.

        *out_of_fold_four_cs* are predicted from carat, cut, color and clarity alone; *features* are
        the fields that the model uses.
        """
        return cls(
            coverage=coverage,
            measured=ErrorScale.learn(table, out_of_fold, coverage),
            unmeasured=ErrorScale.learn(table, out_of_fold_four_cs, coverage),
            measurements=tuple(name for name in features if name in OPTIONAL),
            carats=(float(table.carat.min()), float(table.carat.max())),
        )

    def of(self, diamond: Diamond, price: float) -> tuple[float, float]:
        """Return the low and high end, in USD, of the range of one stone's *price*."""
        half = self.measured.bound(diamond, price)
        if None in reader_of(self.measurements)(diamond):
            half = max(half, self.unmeasured.bound(diamond, price))
        low, high = self.carats
        if not low <= diamond.carat <= high:
            half += log(low / diamond.carat if diamond.carat < low else diamond.carat / high)
        width = exp(half)
        return price / width, price * width

    def of_table(self, table: DiamondTable, prices: Floats) -> tuple[Floats, Floats]:
        """Return the low and high ends, in USD and of shape (n,), for many stones."""
        half = self.measured.bounds(table, prices)
        unmeasured = np.zeros(len(table), dtype=bool)
        for name in self.measurements:
            unmeasured |= ~table.known(name)
        if unmeasured.any():
            wider = np.maximum(half, self.unmeasured.bounds(table, prices))
            half = np.where(unmeasured, wider, half)
        nearest = np.clip(table.carat, *self.carats)
        width = np.exp(half + np.abs(np.log(table.carat / nearest)))
        return prices / width, prices * width
