"""The unattended pipeline: add deliveries, train on what is new, promote what is better."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from diamond_core.errors import DiamondError, ModelDamaged, ModelNotFound, NoChampion
from diamond_core.models.model_card import ModelId
from diamond_core.models.pipeline_run import (
    FAILED,
    HELD,
    INTERRUPTED,
    NOTHING_NEW,
    RUNNING,
    TRAINED,
    PipelineRun,
    new_run_id,
)
from diamond_core.ports import (
    Clock,
    ExclusiveWork,
    Notify,
    PipelineRuns,
    Progress,
    StoneSource,
    StoneStore,
    no_progress,
    notify_nobody,
)
from diamond_core.stones.delivery import KNOWN, Delivery
from diamond_core.use_cases.add_stones import AddStones
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.train_models import TrainingConfig, TrainModels
from diamond_core.use_cases.watch_prices import WatchPrices
from diamond_core.version import __version__

PIPELINE: Final = "pipeline"
"""The name of the exclusive work."""

_LOOKED_AT: Final = 100
"""How many earlier runs tell whether anything is new."""
_EMPTY: Final = "the store of stones is empty; add some: diamond data add SOURCE"
_log = logging.getLogger(__name__)


class RunPipeline:
    """Runs the whole pipeline once. It can be killed at any moment: the next run goes on."""

    def __init__(
        self,
        store: StoneStore,
        history: ModelHistory,
        add_stones: AddStones,
        train_models: TrainModels,
        runs: PipelineRuns,
        exclusive: ExclusiveWork,
        clock: Clock,
        notify: Notify = notify_nobody,
        watch_prices: WatchPrices | None = None,
    ) -> None:
        self._store = store
        self._history = history
        self._add_stones = add_stones
        self._train_models = train_models
        self._runs = runs
        self._exclusive = exclusive
        self._clock = clock
        self._notify = notify
        self._watch_prices = watch_prices

    def __call__(
        self,
        sources: Sequence[StoneSource],
        config: TrainingConfig,
        *,
        progress: Progress = no_progress,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> PipelineRun:
        """Add each of *sources*, then train on the store unless that was done already.

        A source that can't be read, or a training that fails, is a problem of the run and not an
        error: the rest is still done. *config*'s ``force`` trains in any case.
        """
        with self._exclusive.hold(PIPELINE, waiting):
            earlier = self._ended()
            run = PipelineRun(
                id=new_run_id(self._clock()),
                started_at=self._clock(),
                by=config.by,
                code=__version__,
                settings=_settings(config, self._train_models.families(config)),
            )
            self._runs.save(run)
            try:
                run = self._run(run, earlier, sources, config, progress, waiting)
            except Exception as ex:  # it is recorded, and raised
                saved = next(iter(self._runs.runs(1)))  # with what the run had done
                told = str(ex) if isinstance(ex, DiamondError) else f"{type(ex).__name__}: {ex}"
                self._end(replace(saved, problems=(*saved.problems, told)), earlier)
                raise
            return self._end(self._watched(run, progress), earlier)

    def _ended(self) -> list[PipelineRun]:
        """Return the earlier runs; those that never ended were interrupted: we hold the lock."""
        earlier = []
        for run in self._runs.runs(_LOOKED_AT):
            if run.outcome != RUNNING:
                earlier.append(run)
                continue
            earlier.append(replace(run, outcome=INTERRUPTED))
            self._runs.save(earlier[-1])
        return earlier

    def _run(
        self,
        run: PipelineRun,
        earlier: Sequence[PipelineRun],
        sources: Sequence[StoneSource],
        config: TrainingConfig,
        progress: Progress,
        waiting: Callable[[str], None],
    ) -> PipelineRun:
        seconds: dict[str, float] = {}
        problems: list[str] = []
        with _timed(seconds, "data"):
            added = self._add_stones(
                sources,
                progress=progress,
                waiting=waiting,
                unreadable=lambda ex: problems.append(str(ex)),
            )
        version, champion = added.version, self._history.champion()
        run = replace(
            run,
            version=None if version is None else version.number,
            made_by="" if version is None else version.delivery,
            deliveries=tuple(_facts(each) for each in added.deliveries),
            problems=tuple(problems),
            champion=champion,
            seconds=seconds,
        )
        if version is None:
            empty = () if run.held else (_EMPTY,)
            return replace(run, complete=not empty, problems=(*run.problems, *empty))
        is_done = any(_is_done(each, run) for each in earlier) and self._is_sound(champion)
        if is_done and not config.force:
            return replace(run, complete=True)
        self._runs.save(run)
        with _timed(seconds, "training"):
            try:
                trained = self._train_models(
                    self._store, config, progress=progress, waiting=waiting
                )
            except DiamondError as ex:
                return replace(run, problems=(*run.problems, str(ex)))
        problems += [trained.conflict] if trained.conflict else []
        return replace(
            run,
            complete=not trained.conflict,
            models=tuple(sorted(trained.trained)),
            champion=trained.champion,
            promoted=trained.champion != champion,
            problems=tuple(problems),
        )

    def _is_sound(self, champion: ModelId | None) -> bool:
        """Return whether there is a champion, undamaged; else a training can replace it."""
        if champion is None:
            return False
        try:
            self._history.check(self._history.card(champion))  # loading it would take longer
        except (ModelNotFound, ModelDamaged):
            return False
        return True

    def _watched(self, run: PipelineRun, progress: Progress) -> PipelineRun:
        """Return *run* with what has drifted; a failure to find out is only logged."""
        if self._watch_prices is None:
            return run
        seconds = dict(run.seconds)
        drift: Mapping[str, str] = {}
        with _timed(seconds, "monitoring"):
            try:
                drift = self._watch_prices.alarms(self._watch_prices(progress))
            except NoChampion:
                return run
            except Exception as ex:  # adapters and recorded requests can contain anything
                _log.warning("the requests could not be compared: %s", ex)
        return replace(run, drift=drift, seconds=seconds)

    def _end(self, run: PipelineRun, earlier: Sequence[PipelineRun]) -> PipelineRun:
        """Keep how *run* ended, and tell it; what an earlier run told is not told again."""
        if run.problems or not run.complete:
            outcome = FAILED
        elif run.held:
            outcome = HELD
        else:
            outcome = TRAINED if run.models or run.promoted else NOTHING_NEW
        run = replace(run, outcome=outcome, finished_at=self._clock())
        self._runs.save(run)
        common = {"run": run.id, "version": run.version, "champion": run.champion}
        if run.promoted:
            self._notify({"event": "new champion", "text": f"{run.champion} prices now", **common})
        told = {each["id"] for one in earlier for each in one.held}
        for each in run.held:
            if each["id"] in told:
                continue
            text = f"the delivery {each['id']} ({each['source']}) is held: {each['reason']}"
            self._notify({"event": "held", "text": text, "delivery": each["id"], **common})
        before = earlier[0].drift if earlier else {}
        if drifted := [text for name, text in run.drift.items() if name not in before]:
            self._notify({"event": "drift", "text": "; ".join(drifted), **common})
        if outcome == FAILED:
            text = "; ".join(run.problems) or "the pipeline failed"
            self._notify({"event": "failed", "text": text, **common})
        return run


def _is_done(earlier: PipelineRun, run: PipelineRun) -> bool:
    """Return whether an earlier run has trained all that this one would."""
    found = (earlier.version, earlier.made_by, earlier.code, earlier.settings)
    wanted = (run.version, run.made_by, run.code, run.settings)
    return earlier.complete and found == wanted


def _settings(config: TrainingConfig, families: Sequence[str]) -> dict[str, Any]:
    return {
        "families": list(families),
        "seed": config.seed,
        "trials": config.trials,
        "half_life": config.half_life,
        "window": config.window,
    }


def _facts(delivery: Delivery) -> dict[str, Any]:
    names = ("id", "source", "rows", "new", "known", "corrected", "rejected")
    facts = {name: getattr(delivery, name) for name in (*names, "status", "reason")}
    is_known = delivery.status == KNOWN  # every run names the files of all before
    return {**facts, "levels": {} if is_known else dict(delivery.levels)}


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[step] = round(time.perf_counter() - started, 3)
