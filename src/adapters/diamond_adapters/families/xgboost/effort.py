"""How much work a training of boosted trees is worth, by the number of stones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VERY_MANY_STONES: Final = 200_000
"""From more stones on, half of them train nearly the same model, and a search takes minutes."""
MAXIMUM_COPIES: Final = 200_000
"""So many stones without their measurements are enough to learn prices from the 4 Cs."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How trees are cross-validated.

    Attributes:
        folds: the number of folds.
        rounds: the maximum number of trees: more would make each prediction slower for little gain.
        patience: training stops after this number of trees without an improvement.
    """

    folds: int
    rounds: int
    patience: int


USUAL: Final = Effort(folds=5, rounds=1000, patience=100)
_OF_VERY_MANY: Final = Effort(folds=2, rounds=160, patience=40)


def effort_for(stones: int) -> Effort:
    """Return the effort for a table of so many stones; of very many, trees are larger and fewer."""
    return USUAL if stones <= VERY_MANY_STONES else _OF_VERY_MANY


def trials_for(stones: int, trials: int | None) -> int:
    """Return *trials*; if it is None, a number that takes a few seconds, or none for very many."""
    if trials is not None:
        return trials
    return max(5, min(40, 200_000 // stones)) if stones <= VERY_MANY_STONES else 0
