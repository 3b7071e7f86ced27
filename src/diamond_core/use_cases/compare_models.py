"""Compare two models of the history on stones that neither has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from diamond_core.breakdown import groups_of
from diamond_core.diamond_table import DiamondTable
from diamond_core.errors import TooFewStones
from diamond_core.evaluation import Comparison, Metrics, compare, evaluate
from diamond_core.model_card import ModelCard, ModelId
from diamond_core.ports import DiamondSource, ModelRepository
from diamond_core.splitting import in_holdout
from diamond_core.use_cases.read_stones import read_stones

LEAST_HELD_OUT: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One of the two models.

    Attributes:
        metrics: its errors on the hold-out.
        coverage: the share of hold-out prices inside its price ranges.
        same_data: whether it was trained on the very data it is scored on now.
    """

    card: ModelCard
    metrics: Metrics
    coverage: float
    same_data: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupErrors:
    """Both models' errors on one group of stones: MAE in USD, MAPE as a fraction."""

    by: str
    name: str
    stones: int
    mae: tuple[float, float]
    mape: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedModels:
    """Two models on the same hold-out.

    Attributes:
        source, digest, stones: which stones, and how many of them are held out.
        difference: the second model's error less the first's, with its interval.
        groups: both errors by price band and by grade.
    """

    source: str
    digest: str
    stones: int
    models: tuple[Scored, Scored]
    difference: Comparison
    groups: Sequence[GroupErrors]

    @property
    def better(self) -> ModelId | None:
        """The model that errs less by more than the noise, or None."""
        first, second = (each.card.id for each in self.models)
        if self.difference.is_better:
            return second
        return first if self.difference.low > 0.0 else None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "data": {
                "source": self.source,
                "digest": self.digest,
                "holdout_rows": self.stones,
            },
            "models": [
                {
                    "id": each.card.id,
                    "family": each.card.family,
                    "metrics": asdict(each.metrics),
                    "coverage": each.coverage,
                    "trained_on_this_data": each.same_data,
                }
                for each in self.models
            ],
            "mae_difference": {
                "mean": self.difference.difference,
                "low": self.difference.low,
                "high": self.difference.high,
            },
            "better": self.better,
            "groups": [asdict(each) for each in self.groups],
        }


class CompareModels:
    """Score two models on the hold-out of any data.

    The hold-out is chosen by the stones themselves, so neither model was trained on it, whatever
    data each was trained on.
    """

    def __init__(self, repository: ModelRepository) -> None:
        self._repository = repository

    def __call__(
        self, first: ModelId, second: ModelId, sources: Sequence[DiamondSource]
    ) -> ComparedModels:
        """Compare the models on the hold-out of the stones of *sources*.

        Raises:
            ModelNotFound, ModelDamaged: of a model.
            SourceUnreadable: the stones can't be read.
            TooFewStones: fewer than ``LEAST_HELD_OUT`` of them are held out.
        """
        ids = (first, second)
        cards = [self._repository.card(id) for id in ids]
        models = [self._repository.open(id) for id in ids]
        stones, source = read_stones(sources)
        holdout = stones.table[in_holdout(stones.table)]
        if len(holdout) < LEAST_HELD_OUT:
            raise TooFewStones(len(holdout), LEAST_HELD_OUT, "held-out", "compare")
        digest = stones.table.digest()
        prices = [model.price(holdout) for model in models]
        scored = [
            Scored(
                card=card,
                metrics=evaluate(holdout.price, each),
                coverage=float(card.price_ranges.holds(holdout, each).mean()),
                same_data=card.data.digest == digest,
            )
            for card, each in zip(cards, prices, strict=True)
        ]
        return ComparedModels(
            source=source,
            digest=digest,
            stones=len(holdout),
            models=(scored[0], scored[1]),
            difference=compare(first, holdout.price, prices[0], prices[1]),
            groups=_by_group(holdout, np.abs(np.stack(prices) - holdout.price)),
        )


def _by_group(holdout: DiamondTable, errors: np.ndarray) -> list[GroupErrors]:
    shares = errors / holdout.price
    return [
        GroupErrors(
            by=group.by,
            name=group.name,
            stones=len(group.rows),
            mae=(group.mean(errors[0]), group.mean(errors[1])),
            mape=(group.mean(shares[0]), group.mean(shares[1])),
        )
        for group in groups_of(holdout)
    ]
