"""The rows that trees are trained on, and the training of trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from diamond_adapters.families.features import four_cs_of
from diamond_adapters.families.linear.design import Matrix
from diamond_adapters.families.xgboost.trees import tree_features


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Stones as rows for trees; some of them are there a second time, without their measurements.

    Attributes:
        features: of n stones, shape (n, 9).
        targets: what the trees learn, shape (n,).
        importance: the weight of each, shape (n,).
        copied: the stones that are there twice.
    """

    features: NDArray[Any]
    targets: Matrix
    importance: Matrix
    copied: slice

    def binned(self, bins: int) -> xgb.QuantileDMatrix:
        """Return all rows in at most so many *bins* per column."""
        four_cs = four_cs_of(self.features[self.copied])
        return xgb.QuantileDMatrix(
            np.vstack([tree_features(self.features), tree_features(four_cs)]),
            label=np.append(self.targets, self.targets[self.copied]),
            weight=np.append(self.importance, self.importance[self.copied]),
            max_bin=bins,
            nthread=1,
        )

    def parts(self, size: int) -> Iterator[tuple[NDArray[Any], Matrix, Matrix]]:
        """Yield features, targets and weights of up to *size* rows at a time."""
        for rows in (slice(None), self.copied):
            features, targets, importance = (
                each[rows] for each in (self.features, self.targets, self.importance)
            )
            for start in range(0, len(targets), size):
                some = slice(start, start + size)
                part = features[some] if rows != self.copied else four_cs_of(features[some])
                yield part, targets[some], importance[some]


Boost = Callable[[Mapping[str, Any], TrainingRows, int], xgb.Booster]
"""Trains a number of trees with XGBoost's settings."""


def boosted_here(settings: Mapping[str, Any], rows: TrainingRows, rounds: int) -> xgb.Booster:
    """Train in this process, in the one thread that the settings name."""
    return xgb.train(dict(settings), rows.binned(settings["max_bin"]), rounds)
