"""Train model families, score the models on the hold-out, store them, promote the best."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from diamond_core.errors import (
    Conflict,
    DiamondError,
    FamilyFailed,
    ModelDamaged,
    ModelNotFound,
    UnknownFamily,
)
from diamond_core.models.evaluation import Comparison, Evaluation, compare, metrics_of
from diamond_core.models.explanation import typical_stone
from diamond_core.models.inversions import four_c_inversions, measured_inversions
from diamond_core.models.model_card import (
    DataSummary,
    ModelCard,
    ModelId,
    training_range,
)
from diamond_core.models.price_ranges import PriceRanges
from diamond_core.models.profile import Profile
from diamond_core.models.support import Support, effects_of
from diamond_core.ports import (
    REPORT_FILE,
    Clock,
    ExclusiveWork,
    FittedModel,
    Model,
    ModelFamily,
    Progress,
    ReportInput,
    ReportWriter,
    StoneSource,
    StoneStore,
    no_progress,
)
from diamond_core.stones.cleaning import RejectedRow
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.model_history import ModelHistory, encoded
from diamond_core.use_cases.training_split import TrainingSplit
from diamond_core.use_cases.training_stones import CleanSources, TrainingStones, clean_here
from diamond_core.version import __version__

TRAINING: Final = "training"
"""The name of the exclusive work."""

_ROUNDS: Final = 10
_PRICES: Final = 20
"""How many prices of one stone are timed in a round."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """What to train.

    Attributes:
        families: names of families; empty: all installed ones.
        trials: the maximum number of trials in the parameter search; None: each family decides.
        study: the URL of a storage for the search; None: the search is only in memory.
        half_life: the age in days at which a price weighs half as much as a new one; None: all
            weigh the same.
        window: score on the held-out stones of the last *window* days; None: on all.
        force: train even if the history has a model of the same data and configuration.
        by: who requested it, for the history of promotions.
        note, tags: what the cards say about it; see ``ModelCard``.
    """

    families: Sequence[str] = ()
    seed: int = 0
    trials: int | None = None
    study: str | None = None
    half_life: float | None = None
    window: float | None = None
    force: bool = False
    by: str = "training"
    note: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """The result of a training.

    Attributes:
        cards: a card for each family, the lowest hold-out error first.
        trained: the ids of the new models; the others were already in the history.
        champion: the champion after the training.
        rejected: the rejected rows.
        conflict: the conflict that prevented the promotion of the best model, or ''.
    """

    cards: Sequence[ModelCard]
    trained: frozenset[ModelId]
    champion: ModelId | None
    rejected: Sequence[RejectedRow]
    conflict: str = ""


class TrainModels:
    """The training pipeline. All families are trained, scored and stored in the same way.

    Args:
        families: those that are installed, by name.
        history: where the models are stored.
        exclusive: lets one training run at a time.
        clock: the time of the models.
        write_report: writes the page of each training; None: there are no pages.
        clean_sources: reads and cleans the stones of sources.
    """

    def __init__(
        self,
        families: Mapping[str, ModelFamily],
        history: ModelHistory,
        exclusive: ExclusiveWork,
        clock: Clock,
        write_report: ReportWriter | None = None,
        clean_sources: CleanSources = clean_here,
    ) -> None:
        self._clean_sources = clean_sources
        self._families = families
        self._history = history
        self._exclusive = exclusive
        self._clock = clock
        self._write_report = write_report

    def __call__(
        self,
        stones: Sequence[StoneSource] | StoneStore,
        config: TrainingConfig,
        *,
        progress: Progress = no_progress,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> TrainingRun:
        """Train every family on *stones*, of sources or a store; promote the best if it is better.

        *waiting* gets a sentence if another training must end first.

        Raises:
            UnknownFamily: a family is not installed; nothing was read.
            SourceUnreadable, TooFewStones: nothing was trained.
            FamilyFailed: a family failed; the models of the families before it are stored.
        """
        names = self.families(config)
        for name in names:
            if name not in self._families:
                raise UnknownFamily(name, list(self._families))
        progress("reading the stones", 0.0)
        split = TrainingSplit.of(
            self._read(stones), half_life=config.half_life, window=config.window
        )
        config = replace(config, half_life=split.summary.half_life, window=split.summary.window)
        with self._exclusive.hold(TRAINING, waiting):
            present = self._history.champion()
            champion = self._serving(split.holdout)
            facts = _Facts(split)
            cards: list[ModelCard] = []
            trained: set[ModelId] = set()
            for name in names:
                card = None if config.force else self._known(name, split, config, champion)
                if card is None:
                    card = self._train(self._families[name], facts, config, champion, progress)
                    trained.add(card.id)
                cards.append(card)
            cards.sort(key=lambda card: card.metrics.mae)
            conflict = ""
            try:
                chosen = ChooseChampion(self._history, self._clock).by_merit(
                    cards,
                    against=None if champion is None else champion.id,
                    present=present,
                    by=config.by,
                )
            except Conflict as ex:
                chosen, conflict = self._history.champion(), str(ex)
        return TrainingRun(
            cards=cards,
            trained=frozenset(trained),
            champion=chosen,
            rejected=split.rejected,
            conflict=conflict,
        )

    def families(self, config: TrainingConfig) -> list[str]:
        """Return the names of the families that *config* trains, each once."""
        return list(dict.fromkeys(config.families)) or list(self._families)

    def _read(self, stones: Sequence[StoneSource] | StoneStore) -> TrainingStones:
        if isinstance(stones, Sequence):
            return TrainingStones.from_sources(stones, self._clock().date(), self._clean_sources)
        return TrainingStones.from_store(stones)

    def _serving(self, holdout: DiamondTable) -> _Serving | None:
        """Return the served model with its predictions for *holdout*, or None if there is none."""
        served = self._history.serving()
        if served is None:
            return None
        return _Serving(served.card.id, served.evaluated(holdout))

    def _known(
        self, family: str, split: TrainingSplit, config: TrainingConfig, champion: _Serving | None
    ) -> ModelCard | None:
        """Return the card of an undamaged model that this training would only repeat, or None.

        The returned card compares it with the current champion; the stored card still has the
        comparison with the champion at its training.
        """
        for card in self._history.cards():
            if not repeats(card, family, config) or not _same_data(card.data, split.summary):
                continue
            try:
                loaded = self._history.load(card.id)
            except (ModelNotFound, ModelDamaged):
                continue
            if champion is None or champion.id == card.id:
                return card
            if card.comparison is not None and card.comparison.champion == champion.id:
                return card
            evaluation = loaded.evaluated(split.holdout)
            return replace(card, comparison=champion.compared_with(evaluation))
        return None

    def _train(
        self,
        family: ModelFamily,
        facts: _Facts,
        config: TrainingConfig,
        champion: _Serving | None,
        progress: Progress,
    ) -> ModelCard:
        split = facts.split

        def of_family(step: str, share: float) -> None:
            progress(f"{family.name}: {step}", share)

        started = time.perf_counter()
        fitted = fit_family(family, split, config, of_family)
        seconds = time.perf_counter() - started
        of_family("scoring on the hold-out", 1.0)
        recent = split.recent
        ranges = PriceRanges.calibrate(
            split.repriced[recent],
            fitted.out_of_fold[recent],
            fitted.out_of_fold_four_cs[recent],
            fitted.features,
            support=facts.support,
        )
        evaluation = Evaluation.of(
            split.holdout,
            fitted.model.price(split.holdout),
            ranges,
            facts.support.gaps(split.holdout),
        )
        at = self._clock()
        card = ModelCard(
            id=ModelId.new(family.name, at),
            family=family.name,
            features=fitted.features,
            created_at=at,
            seed=config.seed,
            seconds=round(seconds, 3),
            trials=config.trials,
            **_scores(fitted, evaluation),
            price_ranges=ranges,
            training_range=facts.training_range,
            typical=facts.typical,
            profile=facts.profile,
            data=split.summary,
            note=config.note,
            tags=config.tags,
            comparison=None if champion is None else champion.compared_with(evaluation),
            details=fitted.details,
            version=__version__,
            libraries=fitted.libraries,
        )
        encoded(card)  # before the report: the family's details may not be JSON
        of_family("writing the report", 1.0)
        report = ReportInput(
            card=card,
            model=fitted.model,
            stones=split.training,
            evaluation=evaluation,
            champion=None if champion is None else champion.evaluation,
            rejected=split.rejected,
        )
        return self._history.publish(card, self._with_report(fitted, report), split.training)

    def _with_report(self, fitted: FittedModel, report: ReportInput) -> FittedModel:
        """Return *fitted* with its report; a failed report does not fail the training."""
        if self._write_report is None:
            return fitted
        try:
            page = self._write_report(report)
        except Exception:  # a report writer can raise anything
            _log.exception("the report of %s could not be written", report.card.id)
            return fitted
        return replace(fitted, files={**fitted.files, REPORT_FILE: page})


def fit_family(
    family: ModelFamily, split: TrainingSplit, config: TrainingConfig, progress: Progress
) -> FittedModel:
    """Fit a family on the training stones.

    Raises:
        TooFewStones, FamilyFailed, InvalidUrl, Unavailable: as for ``ModelFamily.fit``.
    """
    try:
        return family.fit(
            split.repriced,
            seed=config.seed,
            trials=config.trials,
            weights=split.weights,
            study=config.study,
            progress=progress,
        )
    except DiamondError:
        raise
    except Exception as ex:  # a family's library can raise anything
        raise FamilyFailed(family.name, f"{type(ex).__name__}: {ex}") from ex


def _scores(fitted: FittedModel, evaluation: Evaluation) -> dict[str, Any]:
    """Return the card's fields about errors and order."""
    stones, price = evaluation.stones, fitted.model.price
    return {
        "metrics": evaluation.metrics(),
        "metrics_four_cs": metrics_of(stones.price, price(stones.four_cs())),
        "inversions": four_c_inversions(price),
        "inversions_measured": measured_inversions(price, stones),
        "microseconds_per_stone": round(_microseconds(fitted.model, stones.diamond(0)), 1),
        "coverage": float(evaluation.covered.mean()),
        "coverage_by_quintile": evaluation.coverage_by(stones.price),
        "coverage_by_predicted_quintile": evaluation.coverage_by(evaluation.predicted),
    }


def _microseconds(model: Model, diamond: Diamond) -> float:
    """Return how long one price takes: the fastest of some rounds, as others may use the machine."""
    fastest = math.inf
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(_PRICES):
            model.price(diamond)
        fastest = min(fastest, (time.perf_counter() - started) / _PRICES)
    return fastest * 1e6


class _Facts:
    """What the cards of one training say about its stones: computed once for all families."""

    def __init__(self, split: TrainingSplit) -> None:
        self.split = split

    @cached_property
    def support(self) -> Support:
        return Support(self.split.repriced, effects_of(self.split.repriced))

    @cached_property
    def training_range(self) -> Mapping[str, tuple[float, float]]:
        return training_range(self.split.training)

    @cached_property
    def typical(self) -> Diamond:
        return typical_stone(self.split.training)

    @cached_property
    def profile(self) -> Profile:
        return Profile.of(self.split.repriced)


@dataclass(frozen=True, slots=True)
class _Serving:
    """The model that is served when a training starts, and its predictions for the hold-out."""

    id: ModelId
    evaluation: Evaluation

    def compared_with(self, challenger: Evaluation) -> Comparison:
        return compare(self.id, self.evaluation, challenger)


def repeats(card: ModelCard, family: str, config: TrainingConfig) -> bool:
    """Return whether this version of the library would train the model of *card* in the same way."""
    data = card.data
    found = (card.family, card.seed, card.trials, data.half_life, data.window, card.version)
    wanted = (family, config.seed, config.trials, config.half_life, config.window, __version__)
    return found == wanted


def _same_data(before: DataSummary, now: DataSummary) -> bool:
    """Return whether two trainings have the same stones, and where it matters, of the same days."""
    days_matter = bool(now.half_life or now.window or now.price_levels)
    return before.digest == now.digest and (not days_matter or before.days == now.days)
