"""The search for the best linear model: every candidate's cross-validated error, at low cost.

One pass over the stones gives the sums of each fold, see ``sums``; the total minus a fold's sums are
those of the stones outside the fold. A second pass prices stones by all candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import repeat
from operator import add
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.features import FEATURES, four_cs_of
from diamond_adapters.families.linear.candidates import Candidate
from diamond_adapters.families.linear.design import GROUPS, TERMS, LinearDesign, Matrix, groups
from diamond_adapters.families.linear.ordered import OrderedLinear, UnscaledCoefficients
from diamond_adapters.families.linear.solve import solved
from diamond_adapters.families.linear.sums import GroupSums, by_number, chunks
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import AxisWeights, axis_weights
from diamond_adapters.families.weights import Weights, at
from diamond_core.ports import Progress
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.holdout import folds

FOLDS: Final = 5
ENOUGH: Final = 200_000
"""How many stones tell a candidate's error to about 0.2 %."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its cross-validated mean absolute error in USD."""

    candidate: Candidate
    mae: float


class CrossValidation:
    """The folds of one table, and the sums for the fits outside each of them."""

    def __init__(
        self, table: DiamondTable, weights: Weights, *, seed: int, engine: Engine = HERE
    ) -> None:
        self._engine = engine
        self._features, self._prices = table.features(FEATURES), table.price
        self._weights = weights
        self._design = LinearDesign().fit(self._features)
        self._rule = PriceRule.of(self._prices)
        self._fold = folds(table, FOLDS, seed)
        sums = GroupSums.by_fold(
            self._design, self._features, self._prices, weights, self._fold, FOLDS, engine
        )
        total = reduce(add, sums)
        self._outside = [total - each for each in sums]

    def scored(self, candidates: Sequence[Candidate], progress: Progress) -> list[Scored]:
        """Return the candidates with their weighted errors, the lowest error first.

        Of many stones, about ``ENOUGH`` are priced, evenly from all of them.
        """
        candidates = sorted(candidates, key=lambda each: each.log_price)
        models = self._fitted(candidates, progress)
        of_prices = sum(not each.log_price for each in candidates)
        errors = np.zeros(len(candidates))
        some = slice(None, None, max(len(self._fold) // ENOUGH, 1))
        all_features, all_prices, fold = self._features[some], self._prices[some], self._fold[some]
        all_weights = at(self._weights, some)
        every = list(chunks(len(fold)))
        of_chunks = self._engine.map(
            partial(_errors, self._design, self._rule, of_prices),
            repeat(self._engine.share(models), len(every)),
            (all_features[rows] for rows in every),
            (all_prices[rows] for rows in every),
            (at(all_weights, rows) for rows in every),
            (fold[rows] for rows in every),
        )
        for of_chunk in of_chunks:
            errors += of_chunk
        total = len(fold) if all_weights is None else all_weights.sum()
        means = (errors / total).tolist()
        scored = [Scored(each, mae) for each, mae in zip(candidates, means, strict=True)]
        return sorted(scored, key=lambda each: each.mae)

    def ordered_out_of_fold(self, best: Candidate) -> tuple[Matrix, Matrix]:
        """Return the ordered out-of-fold prices (n,): all known, and from the 4 Cs alone."""
        known, four_cs = np.empty(len(self._prices)), np.empty(len(self._prices))
        design = self._design.with_columns(best.weight, best.interactions)
        folds = [self._fold == number for number in range(FOLDS)]
        of_folds = self._engine.map(
            partial(_ordered_prices, design, best),
            self._outside,
            (PriceRule.of(self._prices[~rows]) for rows in folds),
            (axis_weights(self._features[~rows], at(self._weights, ~rows)) for rows in folds),
            (self._features[rows] for rows in folds),
        )
        for rows, prices in zip(folds, of_folds, strict=True):
            known[rows], four_cs[rows] = prices
        return known, four_cs

    def _fitted(self, candidates: Sequence[Candidate], progress: Progress) -> Matrix:
        """Return each candidate's coefficients of the terms, by fold and group.

        The shape is (FOLDS * GROUPS, TERMS, candidates).
        """
        models = np.empty((FOLDS, GROUPS, TERMS, len(candidates)))
        designs = list(dict.fromkeys((each.weight, each.interactions) for each in candidates))
        places = [
            [
                place
                for place, each in enumerate(candidates)
                if (each.weight, each.interactions) == design
            ]
            for design in designs
        ]
        progress("comparing linear models", 0.0)
        of_designs = self._engine.map(
            _of_terms,
            (self._design.with_columns(*design) for design in designs),
            repeat(self._engine.share(self._outside), len(designs)),
            ([candidates[place] for place in chosen] for chosen in places),
        )
        for done, (chosen, of_terms) in enumerate(zip(places, of_designs, strict=True), 1):
            models[:, :, :, chosen] = of_terms
            progress("comparing linear models", done / len(designs))
        return models.reshape(FOLDS * GROUPS, TERMS, -1)


def _of_terms(
    design: LinearDesign, outside: Sequence[GroupSums], candidates: Sequence[Candidate]
) -> Matrix:
    """Return the coefficients of the terms of candidates that share a *design*.

    The shape is (FOLDS, GROUPS, TERMS, candidates).
    """
    columns = design.columns()
    models = np.empty((len(outside), GROUPS, TERMS, len(candidates)))
    for number, sums in enumerate(outside):
        intercepts, coefficients = solved(sums.of_columns(columns), candidates)
        models[number] = columns @ coefficients
        models[number][:, 0] += intercepts
    return models


def _errors(
    design: LinearDesign,
    rule: PriceRule,
    of_prices: int,
    models: Matrix,
    features: NDArray[Any],
    prices: Matrix,
    weights: Weights,
    fold: NDArray[np.intp],
) -> Matrix:
    """Return the sum of the weighted errors of one chunk, by candidate.

    The first *of_prices* candidates are models of the price, the others of its logarithm.
    """
    order, parts = by_number(fold * GROUPS + groups(features))
    terms = design.terms(features)[order]
    errors = np.empty((len(terms), models.shape[2]))
    for number, part in parts:
        errors[part] = terms[part] @ models[number]
    for columns, log_price in ((slice(of_prices), False), (slice(of_prices, None), True)):
        errors[:, columns] = rule.to_usd(errors[:, columns], log_price=log_price)
    errors -= prices[order][:, np.newaxis]
    np.abs(errors, out=errors)
    total: Matrix = errors.sum(axis=0) if weights is None else weights[order] @ errors
    return total


def _ordered_prices(
    design: LinearDesign,
    best: Candidate,
    outside: GroupSums,
    rule: PriceRule,
    weights: AxisWeights,
    features: NDArray[Any],
) -> tuple[Matrix, Matrix]:
    """Return a fold's prices by the model of the stones outside it: all known, and the 4 Cs alone."""
    (intercept,), coefficients = solved(outside.of_columns(design.columns()), [best])
    model = OrderedLinear.of(
        design,
        UnscaledCoefficients.of(design, float(intercept), coefficients[:, 0]),
        rule,
        weights,
        log_price=best.log_price,
    )
    return model.price(features), model.price(four_cs_of(features))
