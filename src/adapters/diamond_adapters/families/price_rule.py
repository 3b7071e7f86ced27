"""Convert predicted values to prices in USD: one rule for training, prediction and graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from diamond_adapters.families.onnx_graph import Graph
from diamond_adapters.models.onnx_model import OUTPUT
from diamond_core.stones.diamond_table import Floats

_MARGIN_BELOW, _MARGIN_ABOVE = 10.0, 100.0


@dataclass(frozen=True, slots=True)
class PriceRule:
    """Keeps prices between a tenth of the lowest and a hundred times the highest training price.

    So no stone's price is zero or infinite. The limits are far from any stone that is priced: see
    ``Support.refusal``.

    Attributes:
        minimum, maximum: the limits of a price in USD.
    """

    minimum: float
    maximum: float

    @classmethod
    def of(cls, prices: Floats) -> Self:
        """Return the rule of a model that is trained on *prices* in USD."""
        return cls(float(prices.min()) / _MARGIN_BELOW, float(prices.max()) * _MARGIN_ABOVE)

    def to_usd(self, values: NDArray[Any], *, log_price: bool) -> Floats:
        """Return the prices of predicted *values*, which are logarithms if *log_price*."""
        lowest, highest = self._limits(log_price=log_price)
        clipped: Floats = np.clip(values, lowest, highest)
        return np.exp(clipped) if log_price else clipped

    def add_to(self, graph: Graph, values: str, *, log_price: bool) -> None:
        """Add the same rule to *graph*, as its output."""
        limits = map(graph.constant, self._limits(log_price=log_price))
        if log_price:
            graph("Exp", graph("Clip", values, *limits), output=OUTPUT)
        else:
            graph("Clip", values, *limits, output=OUTPUT)

    def _limits(self, *, log_price: bool) -> tuple[float, float]:
        """Return the limits of predicted values, so that no exponential overflows."""
        return (log(self.minimum), log(self.maximum)) if log_price else (self.minimum, self.maximum)
