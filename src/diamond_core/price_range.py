"""Price ranges that hold the true price with a stated probability: split-conformal prediction.

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

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.diamond import MEASUREMENTS, Diamond
from diamond_core.diamond_table import DiamondTable, Floats
from diamond_core.usual_error import UsualError

COVERAGE: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRanges:
    """How wide a price range is for a stone and its predicted price.

    Attributes:
        coverage: the share of true prices that the ranges are made to hold.
        measured: the usual error where all measurements are known.
        unmeasured: the usual error where none is.
        carats: the least and most weight that the errors were learned from.
    """

    coverage: float
    measured: UsualError
    unmeasured: UsualError
    carats: tuple[float, float]

    @classmethod
    def calibrate(
        cls,
        table: DiamondTable,
        out_of_fold: Floats,
        out_of_fold_four_cs: Floats,
        *,
        coverage: float = COVERAGE,
    ) -> Self:
        """Learn the ranges from prices (USD, shape (n,)) predicted out of fold.

        *out_of_fold_four_cs* are those predicted from carat, cut, color and clarity alone.
        """
        return cls(
            coverage=coverage,
            measured=UsualError.learn(table, out_of_fold, coverage),
            unmeasured=UsualError.learn(table, out_of_fold_four_cs, coverage),
            carats=(float(table.carat.min()), float(table.carat.max())),
        )

    def of(self, diamond: Diamond, price: float) -> tuple[float, float]:
        """Return the low and high end, in USD, of the range of one stone's *price*."""
        half = self.measured.bound(diamond, price)
        if None in (diamond.depth, diamond.table, diamond.x, diamond.y, diamond.z):
            half = max(half, self.unmeasured.bound(diamond, price))
        least, most = self.carats
        if not least <= diamond.carat <= most:
            half += log(least / diamond.carat if diamond.carat < least else diamond.carat / most)
        width = exp(half)
        return price / width, price * width

    def of_table(self, table: DiamondTable, prices: Floats) -> tuple[Floats, Floats]:
        """Return the low and high ends, in USD and of shape (n,), for many stones."""
        half = self.measured.bounds(table, prices)
        unmeasured = np.zeros(len(table), dtype=bool)
        for name in MEASUREMENTS:
            unmeasured |= np.isnan(table.column(name))
        if unmeasured.any():
            wider = np.maximum(half, self.unmeasured.bounds(table, prices))
            half = np.where(unmeasured, wider, half)
        nearest = np.clip(table.carat, *self.carats)
        width = np.exp(half + np.abs(np.log(table.carat / nearest)))
        return prices / width, prices * width

    def holds(self, table: DiamondTable, prices: Floats) -> NDArray[np.bool_]:
        """Tell for each stone whether its own price lies in the range of *prices*, shape (n,)."""
        low, high = self.of_table(table, prices)
        held: NDArray[np.bool_] = (low <= table.price) & (table.price <= high)
        return held

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; ``from_json`` reads them back."""
        return {
            "coverage": self.coverage,
            "measured": self.measured.to_json(),
            "unmeasured": self.unmeasured.to_json(),
            "carats": list(self.carats),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read price ranges back.

        Raises:
            KeyError, TypeError: *values* are none.
        """
        return cls(
            coverage=values["coverage"],
            measured=UsualError.from_json(values["measured"]),
            unmeasured=UsualError.from_json(values["unmeasured"]),
            carats=(values["carats"][0], values["carats"][1]),
        )
