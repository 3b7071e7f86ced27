"""Convert predicted values to prices in USD: one rule for training, prediction and graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_adapters.families.onnx_graph import Graph
from diamond_adapters.models.onnx_model import OUTPUT
from diamond_core.stones.diamond_table import Floats

_MARGIN_BELOW, _MARGIN_ABOVE = 10.0, 100.0
_MAXIMUM_LOG: Final = 700.0
"""Above about 709, the exponential overflows."""


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
        if log_price:
            values = np.exp(np.minimum(values, _MAXIMUM_LOG))
        prices: Floats = np.clip(values, self.minimum, self.maximum)
        return prices

    def add_to(self, graph: Graph, values: str, *, log_price: bool) -> None:
        """Add the same rule to *graph*, as its output."""
        if log_price:
            values = graph("Exp", graph("Min", values, graph.constant(_MAXIMUM_LOG)))
        limits = [graph.constant(limit) for limit in (self.minimum, self.maximum)]
        graph("Clip", values, *limits, output=OUTPUT)
