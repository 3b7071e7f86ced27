"""A fitted linear model with its 4-C prices in order: a table, and the measurements' terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_adapters.families.linear.design import LinearDesign, Matrix
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import (
    CARATS,
    SHAPE,
    AxisWeights,
    PriceTables,
    ordered,
)
from diamond_core.stones.fields import Clarity, Color, Cut

_GRADES: Final = len(Cut) + len(Color) + len(Clarity)


@dataclass(frozen=True, slots=True)
class UnscaledCoefficients:
    """A linear model's coefficients for unscaled columns, grouped by what they multiply.

    Attributes:
        lines: for each weight term (the constant first) and each grade of the three fields,
            shape (1 + terms, 20): the sum over a stone's grades is the stone's line.
        pairs: for each color and clarity, shape (7, 8).
        measurements: for depth, table and spread, shape (3,).
    """

    lines: Matrix
    pairs: Matrix
    measurements: Matrix

    @classmethod
    def of(cls, design: LinearDesign, intercept: float, coefficients: Matrix) -> Self:
        """Group the coefficients (p,) of a design's columns; ``LinearDesign`` defines their order."""
        terms = design.weight_terms(np.ones(1)).shape[1]
        dummies = _GRADES - 3  # the worst grade of each field has none
        counts = [terms, dummies, 3]
        if design.interactions:
            counts += [terms * dummies, (len(Color) - 1) * (len(Clarity) - 1)]
        parts = np.split(coefficients, np.cumsum(counts)[:-1])
        lines = np.zeros((1 + terms, _GRADES))
        with_dummy = np.delete(np.arange(_GRADES), [0, len(Cut), len(Cut) + len(Color)])
        lines[0, with_dummy] = parts[1]
        pairs = np.zeros((len(Color), len(Clarity)))
        if design.interactions:
            lines[1:, with_dummy] = parts[3].reshape(terms, dummies)
            pairs[1:, 1:] = parts[4].reshape(len(Color) - 1, len(Clarity) - 1)
        # Every stone has exactly one cut, so the terms common to all stones are added to the cuts.
        lines[0, : len(Cut)] += intercept
        lines[1:, : len(Cut)] += parts[0][:, np.newaxis]
        return cls(lines, pairs, parts[2])

    def tabulated(self, design: LinearDesign) -> Matrix:
        """Return the model's values for the grid of the 4 Cs, shape ``SHAPE``."""
        terms = design.weight_terms(CARATS)
        values = np.column_stack([np.ones(len(terms)), terms]) @ self.lines
        cut, color, clarity = np.split(values, np.cumsum(SHAPE[1:3]), axis=1)
        return (
            cut[:, :, np.newaxis, np.newaxis]
            + color[:, np.newaxis, :, np.newaxis]
            + clarity[:, np.newaxis, np.newaxis, :]
            + self.pairs
        )


@dataclass(frozen=True, slots=True)
class OrderedLinear:
    """A linear model in which the 4 Cs are a table that is in order.

    The terms of the measurements do not depend on color and clarity, so they keep its order.

    Attributes:
        design: gives the terms of the measurements.
        tables: one table of log prices.
        measurements: the coefficients of those terms, shape (3,).
        rule: the limits of prices.
        log_price: whether the terms belong to the log price or to the price.
    """

    design: LinearDesign
    tables: PriceTables
    measurements: Matrix
    rule: PriceRule
    log_price: bool

    @classmethod
    def of(
        cls,
        design: LinearDesign,
        coefficients: UnscaledCoefficients,
        rule: PriceRule,
        weights: AxisWeights,
        *,
        log_price: bool,
    ) -> Self:
        """Tabulate the linear model and put its table in order."""
        values = coefficients.tabulated(design)
        logs = np.log(rule.to_usd(values, log_price=log_price))
        tables = PriceTables.of(ordered(logs, weights))
        return cls(design, tables, coefficients.measurements, rule, log_price)

    def price(self, features: NDArray[Any]) -> Matrix:
        """Return the prices (n,) in USD of features (n, 9)."""
        features = np.asarray(features, dtype=np.float64)
        values = self.tables.at(features)
        if not self.log_price:
            values = np.exp(values)
        terms = self.design.measurement_terms(features) @ self.measurements
        return self.rule.to_usd(values + terms, log_price=self.log_price)
