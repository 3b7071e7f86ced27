"""Compare two models of the history on stones that neither was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from diamond_core.errors import TooFewStones
from diamond_core.models.error_slices import ErrorSlice, error_slices
from diamond_core.models.evaluation import Comparison, Evaluation, compare
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.ports import StoneSource, StoneStore
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.holdout import in_holdout
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.read_stones import read_stones
from diamond_core.use_cases.training_stones import TrainingStones

MINIMUM_HELD_OUT: Final = 10
"""The minimum number of distinct stones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredModel:
    """One of the two models.

    Attributes:
        evaluation: its predictions for the hold-out.
        slices: its errors by price band and by grade.
        same_data: whether it was trained on the same data set that it is scored on.
    """

    card: ModelCard
    evaluation: Evaluation
    slices: Sequence[ErrorSlice]
    same_data: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedModels:
    """Two models on the same hold-out.

    Attributes:
        source, digest, stones: the data, and the number of stones in its hold-out.
        models: both models; their slices cover the same stones, in the same order.
        difference: the second model's error minus the first's, with its interval.
    """

    source: str
    digest: str
    stones: int
    models: tuple[ScoredModel, ScoredModel]
    difference: Comparison

    @property
    def better(self) -> ModelId | None:
        """The model whose error is significantly lower, or None."""
        first, second = (each.card.id for each in self.models)
        if self.difference.is_better:
            return second
        return first if self.difference.low > 0.0 else None


class CompareModels:
    """Scores two models on the hold-out of any data.

    A hash of each stone selects the hold-out, so neither model was trained on it, whatever its
    training data.
    """

    def __init__(self, history: ModelHistory) -> None:
        self._history = history

    def __call__(
        self, first: ModelId, second: ModelId, stones: Sequence[StoneSource] | StoneStore
    ) -> ComparedModels:
        """Compare the models on the hold-out of *stones*, of sources or of a store.

        Raises:
            ModelNotFound, ModelDamaged: one of the models can't be used.
            SourceUnreadable: the stones can't be read.
            TooFewStones: fewer than ``MINIMUM_HELD_OUT`` distinct ones are held out.
        """
        models = [self._history.load(id) for id in (first, second)]
        table, source = _read(stones)
        holdout = table[in_holdout(table)]
        check_held_out(holdout)
        digest = table.digest()
        scored = []
        for model in models:
            evaluation = model.evaluated(holdout)
            scored.append(
                ScoredModel(
                    card=model.card,
                    evaluation=evaluation,
                    slices=error_slices(evaluation),
                    same_data=model.card.data.digest == digest,
                )
            )
        return ComparedModels(
            source=source,
            digest=digest,
            stones=len(holdout),
            models=(scored[0], scored[1]),
            difference=compare(first, scored[0].evaluation, scored[1].evaluation),
        )


def _read(stones: Sequence[StoneSource] | StoneStore) -> tuple[DiamondTable, str]:
    if isinstance(stones, Sequence):
        cleaned, source = read_stones(stones)
        return cleaned.table, source
    stored = TrainingStones.from_store(stones)
    return stored.table, stored.source


def check_held_out(holdout: DiamondTable) -> None:
    """Raise ``TooFewStones`` for a hold-out of too few distinct stones: they decide nothing."""
    distinct = holdout.distinct()
    if distinct < MINIMUM_HELD_OUT:
        raise TooFewStones(distinct, MINIMUM_HELD_OUT, "distinct held-out", "compare models")
