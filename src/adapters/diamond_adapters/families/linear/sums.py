"""Sums of products of the stones' terms and prices: all that a linear model learns from stones.

They add up: those of several chunks, folds or machines are those of all their stones, and the total
minus those of a fold are those of the stones outside it. One pass over the stones serves every
design, because sums are kept by group, see ``design``. They take the memory of some thousand stones,
however many stones they are of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.linear.design import GROUPS, TERMS, LinearDesign, Matrix, groups
from diamond_adapters.families.weights import Weights, at

_TARGETS: Final = 2
"""The price, and its logarithm."""
CHUNK: Final = 100_000
"""How many stones are worked on at once: their terms take 15 MB."""


@dataclass(frozen=True, slots=True)
class GroupSums:
    """For each group the weighted sums of the products of two terms or targets.

    Attributes:
        products: shape (GROUPS, TERMS + 2, TERMS + 2), the targets last.
    """

    products: Matrix

    @classmethod
    def by_fold(
        cls,
        design: LinearDesign,
        features: NDArray[Any],
        prices: Matrix,
        weights: Weights,
        fold: NDArray[np.intp],
        count: int,
        engine: Engine = HERE,
    ) -> list[Self]:
        """Return the sums of each fold.

        Args:
            design: a fitted one, for the terms; its columns do not matter.
            features: of n stones, shape (n, 9).
            prices: in USD, shape (n,).
            weights: of the stones, shape (n,).
            fold: the fold of each stone, shape (n,).
            count: the number of folds.
            engine: adds up chunks of stones.
        """
        size = TERMS + _TARGETS
        products = np.zeros((count * GROUPS, size, size))
        rows = list(chunks(len(features)))
        of_chunks = engine.map(
            partial(_products, design, count),
            (features[each] for each in rows),
            (prices[each] for each in rows),
            (at(weights, each) for each in rows),
            (fold[each] for each in rows),
        )
        for of_chunk in of_chunks:  # in order: other sums of floats would differ in the last bits
            products += of_chunk
        return [cls(each) for each in products.reshape(count, GROUPS, size, size)]

    def __add__(self, other: GroupSums) -> GroupSums:
        return GroupSums(self.products + other.products)

    def __sub__(self, other: GroupSums) -> GroupSums:
        return GroupSums(self.products - other.products)

    def of_columns(self, columns: Matrix) -> Sums:
        """Return the sums for the columns of a design, shape (GROUPS, TERMS, p)."""
        both = np.zeros((GROUPS, TERMS + _TARGETS, columns.shape[2] + _TARGETS))
        both[:, :TERMS, :-_TARGETS] = columns
        both[:, TERMS:, -_TARGETS:] = np.eye(_TARGETS)
        width = both.shape[2]
        inner = (self.products @ both).reshape(-1, width)
        return Sums(
            count=float(self.products[:, 0, 0].sum()),
            sums=self.products[:, 0].ravel() @ both.reshape(-1, width),
            products=both.reshape(-1, width).T @ inner,
        )


def _products(
    design: LinearDesign,
    count: int,
    features: NDArray[Any],
    prices: Matrix,
    weights: Weights,
    fold: NDArray[np.intp],
) -> Matrix:
    """Return the sums of one chunk by fold and group, shape (count * GROUPS, size, size)."""
    size = TERMS + _TARGETS
    products = np.zeros((count * GROUPS, size, size))
    both = np.empty((len(features), size))
    both[:, :TERMS] = design.terms(features)
    both[:, -2] = prices
    both[:, -1] = np.log(prices)
    if weights is not None:
        both *= np.sqrt(weights)[:, np.newaxis]
    order, parts = by_number(fold * GROUPS + groups(features))
    both = both[order]
    for number, part in parts:
        products[number] = both[part].T @ both[part]
    return products


@dataclass(frozen=True, slots=True)
class Sums:
    """Weighted sums over rows: of one, of p columns and two targets, and of their products."""

    count: float
    sums: Matrix
    products: Matrix


def chunks(count: int) -> Iterator[slice]:
    """Yield the rows of each chunk of *count* stones, in order."""
    return (slice(start, start + CHUNK) for start in range(0, count, CHUNK))


def by_number(
    numbers: NDArray[np.intp],
) -> tuple[NDArray[np.intp], list[tuple[int, slice]]]:
    """Return the order of rows by their *numbers*, and each number with its part of that order.

    Numbers are below 65,536.
    """
    order = np.argsort(numbers.astype(np.uint16), kind="stable")  # a radix sort
    found, starts = np.unique(numbers[order], return_index=True)
    ends = [*starts[1:].tolist(), len(order)]
    parts = [slice(start, end) for start, end in zip(starts.tolist(), ends, strict=True)]
    return order, list(zip(found.tolist(), parts, strict=True))
