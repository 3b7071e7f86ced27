"""The card of a trained model: everything that is known about it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import InvalidModelId
from diamond_core.models.evaluation import Comparison, Metrics
from diamond_core.models.inversions import Inversions
from diamond_core.models.price_level import STABLE
from diamond_core.models.price_ranges import PriceRanges
from diamond_core.models.profile import Profile
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import NUMBERS

SCHEMA: Final = 1
"""The version of cards and of the stones stored with them. A reader ignores unknown fields."""

_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ModelId(str):
    """A model's id: lower-case letters, digits and single hyphens, at most 80 characters."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if len(text) > 80 or _ID.fullmatch(text) is None:
            raise InvalidModelId(text)
        return super().__new__(cls, text)

    @classmethod
    def new(cls, family: str, at: datetime) -> Self:
        """Return a new id such as ``linear-20261123-142233-9f3a1c``."""
        return cls(f"{family}-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """The data of a training: its source, its digest, and the numbers of rows.

    Attributes:
        training_rows: the number of stones that the model was trained on.
        holdout_rows: the number of stones that the card's errors were measured on.
        days: a digest of the days of their prices, '' without dates.
        version: the version of the store of stones; None if the stones came from elsewhere.
        half_life: the age in days at which a price weighs half as much; None: age is ignored.
        window: the newest days, in days, whose held-out stones are scored; None: all are.
        price_levels: the first day of each period and the level of its prices, the newest at 1;
            the model was trained at the newest level. Empty where all prices are of one period.
        scored_since, scored_until: the first and the last day of the scored prices, '' without dates.
        priced_since, priced_until: the same of all prices.
    """

    source: str
    digest: str
    rows: int
    rejected: int
    training_rows: int
    holdout_rows: int
    days: str = ""
    version: int | None = None
    half_life: float | None = None
    window: float | None = None
    scored_since: str = ""
    scored_until: str = ""
    price_levels: tuple[tuple[str, float], ...] = ()
    priced_since: str = ""
    priced_until: str = ""

    @property
    def level_has_moved(self) -> bool:
        """Whether prices of the data are of clearly other levels than the newest."""
        return any(abs(log(level)) > log(STABLE) for _, level in self.price_levels)

    def priced_as(self) -> str:
        """Return in one sentence which stones are priced, and at prices of when."""
        since, until = self.priced_since[:4], self.priced_until[:4]
        if not until:
            prices = "at the prices of the training data"
        elif since == until:
            prices = f"at {until} prices"
            if self.priced_since != self.priced_until:
                prices += f", from stones sold {self.priced_since} to {self.priced_until}"
        elif self.price_levels:
            prices = f"at the level of {until} prices, from stones sold {since} to {until}"
        else:
            prices = f"at {since} to {until} prices"
        return f"Round, natural, polished; {prices}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Everything that is known about a trained model.

    Attributes:
        features: the fields that the model uses, in the order of its graph's columns.
        seconds: the duration of the training.
        trials: the requested number of tuning trials; None: the family decided.
        metrics: errors on the hold-out, all measurements known.
        metrics_four_cs: the same with only carat, cut, color and clarity known.
        inversions: how often it prices a better stone lower, from the 4 Cs alone; empty in cards of
            before.
        inversions_measured: the same for the hold-out with all its measurements.
        microseconds_per_stone: how long the price of one stone with all its measurements takes, where
            it was trained; None in cards of before.
        coverage: the share of hold-out prices inside the price range.
        coverage_by_quintile: the same for five equally large groups by actual price, cheapest
            first.
        coverage_by_predicted_quintile: the same by predicted price.
        price_ranges: how the model's price ranges are made.
        training_range: field -> (minimum, maximum) among the training stones.
        typical: the typical training stone; see ``typical_stone``; None in cards of before.
        profile: the distributions of the training stones, at the level of prices that the model was
            trained at; None in cards of before.
        data: the training data.
        note: what its trainer wrote about it.
        tags: what its trainer sorts models by, such as {"ticket": "417"}.
        comparison: with the champion at that time; None if there was none.
        details: JSON values from the family: candidates with their scores, parameters.
        files: file name -> SHA-256; a file that differs is not loaded.
        samples: the SHA-256 of the file of its training stones, which models of the same data share.
        version: the version of this library.
        libraries: the versions of Python and of the packages that made the model, by name.
        schema: the version of this card; see ``SCHEMA``.
    """

    id: ModelId
    family: str
    features: tuple[str, ...]
    created_at: datetime
    seed: int
    seconds: float
    trials: int | None = None
    metrics: Metrics
    metrics_four_cs: Metrics
    coverage: float
    inversions: Inversions = field(default_factory=dict)
    inversions_measured: Inversions = field(default_factory=dict)
    microseconds_per_stone: float | None = None
    coverage_by_quintile: tuple[float, ...] = ()
    coverage_by_predicted_quintile: tuple[float, ...] = ()
    price_ranges: PriceRanges
    training_range: Mapping[str, tuple[float, float]]
    typical: Diamond | None = None
    profile: Profile | None = None
    data: DataSummary
    note: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    comparison: Comparison | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    samples: str = ""
    version: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA


def training_range(table: DiamondTable) -> dict[str, tuple[float, float]]:
    """Return the minimum and maximum of each number in *table*, if any value is known."""
    ranges = {}
    for name in NUMBERS:
        known = table.column(name)[table.known(name)]
        if len(known):
            ranges[name] = (float(known.min()), float(known.max()))
    return ranges


def outside_range(
    table: DiamondTable, training_range: Mapping[str, tuple[float, float]]
) -> dict[str, NDArray[np.bool_]]:
    """Return for each number in *training_range* which stones are outside, shape (n,)."""
    outside = {}
    for name, (minimum, maximum) in training_range.items():
        if name in NUMBERS:  # a card of a later version can have more
            values = table.column(name)  # a comparison with NaN is False
            outside[name] = (values < minimum) | (values > maximum)
    return outside
