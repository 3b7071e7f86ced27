"""A search for parameters that outlives its process, and that several processes may share."""

from __future__ import annotations

import fcntl
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import (
    BaseStorage,
    JournalStorage,
    RDBStorage,
    RetryHeartbeatStaleTrialCallback,
)
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from diamond_core.errors import InvalidSetting, Unavailable

Space = Mapping[str, BaseDistribution]
Objective = Callable[[optuna.Trial], float]

_OPTION: Final = "--study"
_JOURNAL: Final = "journal:///"
_LOOK_EVERY: Final = 0.2  # seconds, while others finish their trials
_ATTEMPTS: Final = 5
_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)
_CLAIMED: Final = (*_FINISHED, TrialState.RUNNING, TrialState.WAITING)


class TuningStudy:
    """Trials in Optuna's own storage, each done once however many processes work on them.

    A running trial's process shows every *heartbeat* seconds that it lives; after *patience*
    seconds without, the trial is done again by another.

    Parameters:
        url: of the storage. ``mysql://user:password@host/database`` and ``sqlite:///path`` (or
            any other that SQLAlchemy has a driver for) are shared; ``journal:///path`` is a
            plain file, ten times as quick, which one process has at a time and others wait
            for; None keeps nothing.
    """

    def __init__(self, url: str | None = None, *, heartbeat: int = 3, patience: int = 15) -> None:
        self._url = url
        self._heartbeat = heartbeat
        self._patience = patience

    def run(
        self,
        name: str,
        objective: Objective,
        space: Space,
        *,
        first: Mapping[str, Any],
        trials: int,
        seed: int,
        told: Callable[[int], None],
    ) -> Sequence[FrozenTrial]:
        """Do what is missing of *trials* in the study *name*; return that many, oldest first.

        The first trial's parameters are *first*. What a trial tries follows from the *seed*,
        its number and the trials before it, so a study that was broken off goes on as it would
        have. *told* is called with the number of finished trials.

        Raises:
            InvalidSetting: the URL can't be used.
            Unavailable: the storage failed.
        """
        with _quiet(), self._open() as storage:
            study = optuna.create_study(
                study_name=name,
                storage=storage,
                sampler=_SamplerByNumber(space, first, seed),
                pruner=_NearTheBest(),
                load_if_exists=True,
            )
            if isinstance(storage, JournalStorage):
                _take_over(study, storage)
            return _finish(study, storage, objective, trials, self._patience, told)

    @contextmanager
    def _open(self) -> Iterator[BaseStorage]:
        if self._url is None:
            yield optuna.storages.InMemoryStorage()
            return
        if self._url.startswith(_JOURNAL):
            with _journal(Path(self._url.removeprefix(_JOURNAL))) as journal:
                yield journal
            return
        url = _storage_url(self._url)
        try:
            storage = self._connected(url)
            try:
                yield storage
            finally:
                storage.remove_session()
                storage.engine.dispose()
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as ex:
            # the database's own words may hold its address, never its password
            raise Unavailable(f"the tuning study's database failed: {_reason(ex)}") from ex

    def _connected(self, url: str) -> RDBStorage:
        for attempt in range(_ATTEMPTS):
            try:
                return RDBStorage(
                    url,
                    engine_kwargs=(
                        {"connect_args": {"timeout": 30}} if url.startswith("sqlite") else {}
                    ),
                    heartbeat_interval=self._heartbeat,
                    grace_period=self._patience,
                    heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
                )
            except ImportError as ex:
                raise InvalidSetting(_OPTION, "the driver of this database is missing") from ex
            except SQLAlchemyError:
                # two processes that make the tables at once stand in each other's way
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_LOOK_EVERY * (attempt + 1))
        raise AssertionError("unreachable")


@contextmanager
def _journal(path: Path) -> Iterator[JournalStorage]:
    """Open the file for this process alone; the lock ends with the process, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.user").open("a") as user:
            fcntl.flock(user, fcntl.LOCK_EX)
            yield JournalStorage(JournalFileBackend(str(path)))
    except OSError as ex:
        raise Unavailable(f"the tuning study can't be kept in {path}: {ex.strerror}") from ex


def _take_over(study: Study, storage: JournalStorage) -> None:
    """Let trials be done again that a process left unfinished: nobody else has the file now."""
    for trial in study.get_trials(deepcopy=True, states=(TrialState.RUNNING,)):
        storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)  # noqa: SLF001  # its only name
        RetryHeartbeatStaleTrialCallback()(study, trial)


def _finish(
    study: Study,
    storage: BaseStorage,
    objective: Objective,
    trials: int,
    patience: int,
    told: Callable[[int], None],
) -> Sequence[FrozenTrial]:
    """Do trials until *trials* are finished, here or elsewhere."""

    def once(trial: optuna.Trial) -> float:
        earlier = study.get_trials(deepcopy=False, states=_CLAIMED)
        if sum(each.number < trial.number for each in earlier) >= trials:
            raise _OneTooMany
        return objective(trial)

    watched: dict[int, float] = {}
    while True:
        optuna.storages.fail_stale_trials(study)
        claimed = study.get_trials(deepcopy=False, states=_CLAIMED)
        finished = [each for each in claimed if each.state in _FINISHED]
        told(min(len(finished), trials))
        if len(finished) >= trials:
            return finished[:trials]
        running = [each for each in claimed if each.state == TrialState.RUNNING]
        if len(finished) + len(running) < trials:
            # Several processes may see the last free place: who comes late, leaves.
            study.optimize(once, n_trials=1, catch=(_OneTooMany,))
            continue
        _start_the_clock(storage, running, watched, patience)
        time.sleep(_LOOK_EVERY)


def _start_the_clock(
    storage: BaseStorage,
    running: Sequence[FrozenTrial],
    watched: dict[int, float],
    patience: int,
) -> None:
    """Give a heartbeat to trials that have long been running.

    A process may die between a trial's beginning and its first heartbeat; without any, the
    trial would never count as abandoned.
    """
    if not isinstance(storage, RDBStorage):
        return
    now = time.monotonic()
    for trial in running:
        since = watched.setdefault(trial.number, now)
        if since <= now - patience:
            watched[trial.number] = float("inf")
            storage.record_heartbeat(trial._trial_id)  # noqa: SLF001  # its only name


class _OneTooMany(Exception):
    """All places were taken when this trial began."""


class _SamplerByNumber(BaseSampler):
    """Optuna's TPE, seeded anew for each trial by the trial's number."""

    def __init__(self, space: Space, first: Mapping[str, Any], seed: int) -> None:
        self._space, self._first, self._seed = dict(space), dict(first), seed
        self._number = 0
        self._inner: BaseSampler = TPESampler(seed=seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        # A trial that is done again takes the parameters of the one that was abandoned.
        self._number = trial.system_attrs.get("failed_trial", trial.number)
        seed = (self._seed * 1_000_003 + self._number) % 2**32
        self._inner = TPESampler(seed=seed, multivariate=True)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if self._number == 0:
            return self._first
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._inner.sample_independent(study, trial, param_name, param_distribution)


class _NearTheBest(optuna.pruners.BasePruner):
    """Stops a trial that is worse than the best one was at the same step."""

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        step = trial.last_step
        if not complete or step is None:
            return False
        best = min(complete, key=lambda each: each.value or 0.0)
        at_step = best.intermediate_values.get(step)
        return at_step is not None and trial.intermediate_values[step] > at_step


def _storage_url(url: str) -> str:
    """Return the URL for SQLAlchemy; make the folder of a SQLite file."""
    try:
        parts = make_url(url)
        if parts.drivername in ("mysql", "mariadb"):
            parts = parts.set(drivername=f"{parts.drivername}+pymysql")
        parts.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise InvalidSetting(
            _OPTION, "use mysql://user:password@host/database, sqlite:///file or journal:///file"
        ) from None
    if parts.drivername.startswith("sqlite") and parts.database:
        Path(parts.database).parent.mkdir(parents=True, exist_ok=True)
    return parts.render_as_string(hide_password=False)


def _reason(ex: BaseException) -> str:
    """Return the driver's own sentence, without SQL and its values."""
    cause = getattr(ex, "orig", None) or getattr(ex.__cause__, "orig", None) or ex
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's own log and its notes about new features away from the user."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
