"""The search for the best linear model: every candidate's cross-validated error, at low cost.

One pass over the stones gives the sums of each fold, see ``sums``; the total minus a fold's sums are
those of the stones outside the fold. A second pass prices stones by all candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Final

import numpy as np

from diamond_adapters.families.features import FEATURES, four_cs_of
from diamond_adapters.families.linear.candidates import Candidate
from diamond_adapters.families.linear.design import GROUPS, TERMS, LinearDesign, Matrix, groups
from diamond_adapters.families.linear.ordered import OrderedLinear, UnscaledCoefficients
from diamond_adapters.families.linear.solve import solved
from diamond_adapters.families.linear.sums import GroupSums, by_number, chunks
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import axis_weights
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

    def __init__(self, table: DiamondTable, weights: Weights, *, seed: int) -> None:
        self._features, self._prices = table.features(FEATURES), table.price
        self._weights = weights
        self._design = LinearDesign().fit(self._features)
        self._rule = PriceRule.of(self._prices)
        self._fold = folds(table, FOLDS, seed)
        sums = GroupSums.by_fold(
            self._design, self._features, self._prices, weights, self._fold, FOLDS
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
        kinds = ((slice(of_prices), False), (slice(of_prices, None), True))
        errors = np.zeros(len(candidates))
        some = slice(None, None, max(len(self._fold) // ENOUGH, 1))
        all_features, all_prices, fold = self._features[some], self._prices[some], self._fold[some]
        all_weights = at(self._weights, some)
        for rows in chunks(len(fold)):
            features = all_features[rows]
            order, parts = by_number(fold[rows] * GROUPS + groups(features))
            terms = self._design.terms(features)[order]
            prices = np.empty((len(terms), len(candidates)))
            for number, part in parts:
                prices[part] = terms[part] @ models[number]
            for columns, log_price in kinds:
                prices[:, columns] = self._rule.to_usd(prices[:, columns], log_price=log_price)
            prices -= all_prices[rows][order][:, np.newaxis]
            np.abs(prices, out=prices)
            weights = at(all_weights, rows)
            errors += prices.sum(axis=0) if weights is None else weights[order] @ prices
        total = len(fold) if all_weights is None else all_weights.sum()
        means = (errors / total).tolist()
        scored = [Scored(each, mae) for each, mae in zip(candidates, means, strict=True)]
        return sorted(scored, key=lambda each: each.mae)

    def ordered_out_of_fold(self, best: Candidate) -> tuple[Matrix, Matrix]:
        """Return the ordered out-of-fold prices (n,): all known, and from the 4 Cs alone."""
        known, four_cs = np.empty(len(self._prices)), np.empty(len(self._prices))
        design = self._design.with_columns(best.weight, best.interactions)
        columns = design.columns()
        for number, sums in enumerate(self._outside):
            (intercept,), coefficients = solved(sums.of_columns(columns), [best])
            rows = self._fold == number
            model = OrderedLinear.of(
                design,
                UnscaledCoefficients.of(design, float(intercept), coefficients[:, 0]),
                PriceRule.of(self._prices[~rows]),
                axis_weights(self._features[~rows], at(self._weights, ~rows)),
                log_price=best.log_price,
            )
            features = self._features[rows]
            known[rows] = model.price(features)
            four_cs[rows] = model.price(four_cs_of(features))
        return known, four_cs

    def _fitted(self, candidates: Sequence[Candidate], progress: Progress) -> Matrix:
        """Return each candidate's coefficients of the terms, by fold and group.

        The shape is (FOLDS * GROUPS, TERMS, candidates).
        """
        models = np.empty((FOLDS, GROUPS, TERMS, len(candidates)))
        designs = list(dict.fromkeys((each.weight, each.interactions) for each in candidates))
        for done, design in enumerate(designs):
            progress("comparing linear models", done / len(designs))
            chosen = [
                place
                for place, each in enumerate(candidates)
                if (each.weight, each.interactions) == design
            ]
            columns = self._design.with_columns(*design).columns()
            for number, sums in enumerate(self._outside):
                intercepts, coefficients = solved(
                    sums.of_columns(columns), [candidates[place] for place in chosen]
                )
                of_terms = columns @ coefficients
                of_terms[:, 0] += intercepts
                models[number][:, :, chosen] = of_terms
        return models.reshape(FOLDS * GROUPS, TERMS, -1)
