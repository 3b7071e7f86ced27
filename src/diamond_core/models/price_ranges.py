"""Price ranges that cover the true price with a stated probability: split-conformal prediction.

The relative error of a stone the model has not seen is |log(price / predicted)|. Divided by how
large it usually is for such stones, it is a score; the ``coverage`` quantile of the scores of
out-of-fold predictions, times the usual error of a new stone, is half the width of its range
(Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, 2018, section 5.2: locally weighted conformal
inference). The usual error is learned twice: for stones that are fully measured, and for those of
which only carat, cut, color and clarity are known; a stone with some unknown measurement gets the
wider of both. Nothing can be learned about stones heavier or lighter than all known ones: there
the range grows by the full factor between the stone's weight and the nearest known one.
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
        coverage: the share of true prices that the ranges are made to cover.
        measured: the usual error where all measurements are known.
        unmeasured: the usual error where none is.
        measurements: the fields that the model takes and that may be unknown.
        carats: the smallest and the greatest weight that the errors were learned from.
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

        *out_of_fold_four_cs* are those predicted from carat, cut, color and clarity alone, and
        *features* the fields that the model takes.
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
