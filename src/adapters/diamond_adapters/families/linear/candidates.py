"""The linear models that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RIDGE: Final = (1e-5, 1e-4, 1e-3, 1e-2)
LASSO: Final = (1e-3, 3e-4, 1e-4)
"""Penalties for standardized columns and prices: ridge's per row, lasso's as in scikit-learn."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One linear model that could be fitted."""

    log_price: bool
    weight: str
    interactions: bool
    solver: str
    penalty: float = 0.0

    @property
    def name(self) -> str:
        parts = [
            "log price" if self.log_price else "price",
            {"carat": "carat", "log": "log carat", "spline": "spline"}[self.weight],
            "interactions" if self.interactions else "main effects",
            self.solver if not self.penalty else f"{self.solver} {self.penalty:g}",
        ]
        return ", ".join(parts)


DEFAULT: Final = Candidate(
    log_price=True, weight="spline", interactions=True, solver="ridge", penalty=1e-4
)
"""The model without a search: the best or nearly the best on every data set that was tried."""


def every_candidate() -> list[Candidate]:
    """Return all 96 candidates."""
    penalties = [("least squares", 0.0)]
    penalties += [("ridge", penalty) for penalty in RIDGE]
    penalties += [("lasso", penalty) for penalty in LASSO]
    return [
        Candidate(log_price, weight, interactions, solver, penalty)
        for weight in ("carat", "log", "spline")
        for interactions in (False, True)
        for log_price in (False, True)
        for solver, penalty in penalties
    ]
