"""Train model families on fresh data, score them on the hold-out, keep them, choose the best."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from diamond_core.cleaning import CleanStones, RejectedRow
from diamond_core.diamond_table import DiamondTable, Floats
from diamond_core.errors import ModelDamaged, ModelNotFound, TooFewStones, UnknownFamily
from diamond_core.evaluation import Comparison, compare, evaluate, mean_by_quantile
from diamond_core.model_card import DataSummary, ModelCard, ModelId, training_range
from diamond_core.ports import (
    REPORT_FILE,
    Clock,
    DiamondSource,
    FittedModel,
    Model,
    ModelFamily,
    ModelRepository,
    Progress,
    ReportWriter,
    Training,
    no_progress,
)
from diamond_core.price_range import PriceRanges
from diamond_core.similarity import sorted_samples
from diamond_core.splitting import in_holdout
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.read_stones import read_stones
from diamond_core.version import __version__

LEAST_STONES = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOrder:
    """What to train.

    Attributes:
        families: names of families; empty for all that are installed.
        trials: bounds the search for better parameters; None for each family's own choice.
        force: train even where the history holds a model of the same data and orders.
        by: who gave the order, for the record of promotions.
    """

    families: Sequence[str] = ()
    seed: int = 0
    trials: int | None = None
    force: bool = False
    by: str = "training"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """What came of it.

    Attributes:
        cards: a card for each family, the least hold-out error first.
        trained: the ids of the models that are new; the others were in the history.
        champion: the champion afterwards.
        rejected: the rows that were left out.
    """

    cards: Sequence[ModelCard]
    trained: frozenset[ModelId]
    champion: ModelId | None
    rejected: Sequence[RejectedRow]


class TrainModels:
    """The training pipeline. It knows no family: each is trained, scored and kept alike."""

    def __init__(
        self,
        families: Mapping[str, ModelFamily],
        repository: ModelRepository,
        clock: Clock,
        write_report: ReportWriter | None = None,
    ) -> None:
        self._families = families
        self._repository = repository
        self._clock = clock
        self._write_report = write_report

    def __call__(
        self,
        sources: Sequence[DiamondSource],
        order: TrainingOrder,
        *,
        progress: Progress = no_progress,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> TrainingRun:
        """Train every ordered family on the stones of *sources*; promote the best if it is better.

        Raises:
            UnknownFamily: a family is not installed; nothing was read.
            SourceUnreadable, TooFewStones: nothing was trained.
            FamilyFailed: a family failed; those before it are kept.
        """
        names = list(dict.fromkeys(order.families)) or list(self._families)
        for name in names:
            if name not in self._families:
                raise UnknownFamily(name, list(self._families))
        progress("Reading the stones", 0.0)
        stones, source = read_stones(sources)
        split = _Split.of(stones, source)
        with self._repository.training(waiting):
            present = self._sound_champion()
            cards: list[ModelCard] = []
            trained: set[ModelId] = set()
            for name in names:
                known = None if order.force else self._known(name, split, order)
                if known is None:
                    known = self._train(self._families[name], split, order, present, progress)
                    trained.add(known.id)
                else:
                    known = self._compared_afresh(known, split, present)
                cards.append(known)
            cards.sort(key=lambda card: card.metrics.mae)
            champion = ChooseChampion(self._repository, self._clock).by_merit(
                cards, against=None if present is None else present[0], by=order.by
            )
        return TrainingRun(
            cards=cards,
            trained=frozenset(trained),
            champion=champion,
            rejected=stones.rejected,
        )

    def _known(self, family: str, split: _Split, order: TrainingOrder) -> ModelCard | None:
        """Return the card of a sound model that this training would only repeat, or None."""
        for card in self._repository.cards():
            same = (card.family, card.seed, card.trials, card.version, card.data.digest)
            if (
                same == (family, order.seed, order.trials, __version__, split.summary.digest)
                and self._opened(card.id) is not None
            ):
                return card
        return None

    def _compared_afresh(
        self, card: ModelCard, split: _Split, present: tuple[ModelId, Model] | None
    ) -> ModelCard:
        """Return a known model's card, compared with the champion of today.

        The card that is kept goes on telling about the champion of its own day.
        """
        if present is None or present[0] == card.id:
            return card
        if card.comparison is not None and card.comparison.champion == present[0]:
            return card
        model = self._opened(card.id)
        if model is None:
            return card
        prices = model.price(split.holdout)
        return replace(card, comparison=_compare(present, split.holdout, prices))

    def _opened(self, id: ModelId) -> Model | None:
        try:
            return self._repository.open(id)
        except (ModelNotFound, ModelDamaged):
            return None

    def _sound_champion(self) -> tuple[ModelId, Model] | None:
        """Return the champion to compare with; one that can't be loaded is none."""
        champion = self._repository.champion()
        model = None if champion is None else self._opened(champion)
        return None if champion is None or model is None else (champion, model)

    def _train(
        self,
        family: ModelFamily,
        split: _Split,
        order: TrainingOrder,
        present: tuple[ModelId, Model] | None,
        progress: Progress,
    ) -> ModelCard:
        def told(doing: str, share: float) -> None:
            progress(f"{family.name}: {doing}", share)

        started = time.perf_counter()
        fitted = family.fit(split.training, seed=order.seed, trials=order.trials, progress=told)
        seconds = time.perf_counter() - started
        told("scoring on the hold-out", 1.0)
        ranges = PriceRanges.calibrate(
            split.training, fitted.out_of_fold, fitted.out_of_fold_four_cs
        )
        prices = fitted.model.price(split.holdout)
        held = ranges.holds(split.holdout, prices)
        actual = split.holdout.price
        at = self._clock()
        card = ModelCard(
            id=ModelId.new(family.name, at),
            family=family.name,
            created_at=at,
            seed=order.seed,
            seconds=round(seconds, 3),
            trials=order.trials,
            metrics=evaluate(actual, prices),
            metrics_four_cs=evaluate(
                actual, fitted.model.price(split.holdout.without_measurements())
            ),
            coverage=float(held.mean()),
            coverage_by_quintile=tuple(mean_by_quantile(held, actual)),
            coverage_by_predicted_quintile=tuple(mean_by_quantile(held, prices)),
            price_ranges=ranges,
            training_range=training_range(split.training),
            data=split.summary,
            comparison=None if present is None else _compare(present, split.holdout, prices),
            details=fitted.details,
            version=__version__,
        )
        told("writing the report", 1.0)
        training = Training(
            card=card,
            model=fitted.model,
            stones=split.training,
            holdout=split.holdout,
            rejected=split.rejected,
            champion=None if present is None else present[1],
        )
        return self._repository.publish(
            card, self._with_report(fitted, training), sorted_samples(split.training)
        )

    def _with_report(self, fitted: FittedModel, training: Training) -> FittedModel:
        """Return *fitted* with its report; a report that fails costs nobody the model."""
        if self._write_report is None:
            return fitted
        try:
            page = self._write_report(training)
        except Exception:  # whatever a writer of reports may raise
            _log.exception("the report of %s could not be written", training.card.id)
            return fitted
        return replace(fitted, files={**fitted.files, REPORT_FILE: page})


def _compare(present: tuple[ModelId, Model], holdout: DiamondTable, prices: Floats) -> Comparison:
    id, champion = present
    return compare(id, holdout.price, champion.price(holdout), prices)


@dataclass(frozen=True, slots=True)
class _Split:
    training: DiamondTable
    holdout: DiamondTable
    rejected: Sequence[RejectedRow]
    summary: DataSummary

    @classmethod
    def of(cls, stones: CleanStones, source: str) -> _Split:
        table = stones.table
        if len(table) < LEAST_STONES:
            raise TooFewStones(len(table), LEAST_STONES)
        held_out = in_holdout(table)
        summary = DataSummary(
            source=source,
            digest=table.digest(),
            rows=len(table) + len(stones.rejected),
            rejected=len(stones.rejected),
            training_rows=int((~held_out).sum()),
            holdout_rows=int(held_out.sum()),
        )
        return cls(table[~held_out], table[held_out], stones.rejected, summary)
