"""Remove old models, and the shared files that no model uses any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from diamond_core.errors import Conflict
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.models.promotion import rollback_line
from diamond_core.ports import ExclusiveWork, ModelRepository
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.train_models import TRAINING


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedModels:
    """The result of pruning; of a dry run, what pruning would do.

    Attributes:
        removed: the removed models, newest first.
        kept: the other models with the reason, newest first, then those without a readable card.
        freed_bytes: the size of the removed files.
    """

    removed: Sequence[ModelId]
    kept: Mapping[ModelId, str]
    freed_bytes: int
    dry_run: bool


class PruneModels:
    """Removes old models. A service that has loaded one of them goes on serving it.

    Args:
        history: the models, and which of them can be served.
        repository: where *history* keeps them.
        exclusive: keeps trainings out, which store a shared file before the model that uses it.
        shadow: the model that prices beside the champion, if there is one.
    """

    def __init__(
        self,
        history: ModelHistory,
        repository: ModelRepository,
        exclusive: ExclusiveWork,
        shadow: ModelId | None = None,
    ) -> None:
        self._shadow = shadow
        self._history = history
        self._repository = repository
        self._exclusive = exclusive

    def __call__(
        self,
        keep: int,
        *,
        dry_run: bool = False,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> PrunedModels:
        """Remove all models but those that are listed here, then the shared files without a model.

        These models stay: the *keep* newest; those that the last *keep* promotions name; those to
        which *keep* rollbacks would go back; the champion and, if it is damaged, the model that is
        served in its place; the shadow; a model whose card can't be read. While there is one of these, all
        shared files stay, because its card may name them.

        *waiting* gets a sentence if a training must end first. A dry run waits for nothing and
        changes nothing.

        Raises:
            ValueError: *keep* is less than 1.
            Conflict: a model was promoted meanwhile; earlier removals stay done.
            Unavailable: the repository failed; earlier removals stay done.
        """
        if keep < 1:
            raise ValueError("keep at least one model")
        with nullcontext() if dry_run else self._exclusive.hold(TRAINING, waiting):
            number = self._history.last_number()
            cards, unreadable = self._history.cards_and_problems()
            why = self._reasons(cards, keep)
            removed = [card.id for card in cards if card.id not in why]
            kept = {card.id: why[card.id] for card in cards if card.id in why}
            kept |= {id: f"its card can't be read: {each}" for id, each in unreadable.items()}
            used = {card.samples for card in cards if card.id in kept}
            shared = self._repository.shared()
            unused = [each for each in shared if each not in used and not unreadable]
            freed = sum(map(self._repository.size, removed)) + sum(shared[each] for each in unused)
            if not dry_run:
                for id in reversed(removed):  # the oldest first
                    if self._history.last_number(number) != number:
                        raise Conflict("a model was promoted meanwhile; prune again")
                    self._repository.remove(id)
                for digest in unused:
                    self._repository.remove_shared(digest)
        return PrunedModels(removed=removed, kept=kept, freed_bytes=freed, dry_run=dry_run)

    def _reasons(self, cards: Sequence[ModelCard], keep: int) -> dict[ModelId, str]:
        """Return why models stay; of several reasons, the first one."""
        promotions = self._history.promotions()
        line = rollback_line(promotions)
        served = self._history.serving()
        last = promotions[-keep:]
        named = {each.model_id for each in last} | {each.previous for each in last}
        reasons: list[tuple[str, Iterable[ModelId | None]]] = [
            ("it is the champion", line[-1:]),
            (
                "it is served in place of the damaged champion",
                [None if served is None else served.card.id],
            ),
            ("it is the shadow", [self._shadow]),
            ("a rollback can go back to it", line[-keep - 1 : -1]),
            ("a recent promotion names it", named),
            ("it is one of the newest", [card.id for card in cards[:keep]]),
        ]
        why: dict[ModelId, str] = {}
        for reason, ids in reasons:
            for id in ids:
                if id is not None:
                    why.setdefault(id, reason)
        return why
