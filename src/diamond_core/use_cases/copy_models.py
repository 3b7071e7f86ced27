"""Copy models from one history to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from diamond_core.errors import ModelDamaged, ModelExists
from diamond_core.models.model_card import ModelId
from diamond_core.ports import ExclusiveWork, Progress, no_progress
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.train_models import TRAINING


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedModels:
    """The result of copying.

    Attributes:
        copied: the models that were added, oldest first.
        present: the models that the other history had already.
        problems: what is wrong with each model that could not be copied.
    """

    copied: Sequence[ModelId]
    present: Sequence[ModelId]
    problems: Mapping[ModelId, str]


class CopyModels:
    """Copies models byte for byte, each as a whole. None is promoted.

    Args:
        exclusive: keeps pruning out, which removes shared files that no model uses yet.
    """

    def __init__(self, exclusive: ExclusiveWork) -> None:
        self._exclusive = exclusive

    def __call__(
        self,
        source: ModelHistory,
        target: ModelHistory,
        ids: Sequence[ModelId] = (),
        *,
        progress: Progress = no_progress,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> CopiedModels:
        """Copy the models *ids*, by default all that *source* can read, if *target* lacks them.

        Raises:
            ModelNotFound: *source* has no model with one of the ids; those before it are copied.
            Unavailable: a repository can't be reached; those before it are copied.
        """
        problems: dict[ModelId, str] = {}
        if not ids:
            cards, problems = source.cards_and_problems()
            ids = [card.id for card in reversed(cards)]
        copied: list[ModelId] = []
        with self._exclusive.hold(TRAINING, waiting):
            present = set(target.ids())
            for number, id in enumerate(ids):
                progress(f"copying {id}", number / len(ids))
                if id in present:
                    continue
                try:
                    source.copy(id, target)
                    copied.append(id)
                except ModelDamaged as ex:
                    problems[id] = ex.detail
                except ModelExists:  # added by someone else meanwhile
                    present.add(id)
        return CopiedModels(
            copied=copied, present=[id for id in ids if id in present], problems=problems
        )
