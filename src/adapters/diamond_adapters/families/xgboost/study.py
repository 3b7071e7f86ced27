"""A parameter search in an Optuna study, which processes can share and resume."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError, SQLAlchemyError

from diamond_adapters.flock import joined
from diamond_adapters.private_files import create_file, create_folder
from diamond_core.errors import InvalidUrl, Unavailable

FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)
HEARTBEAT, GRACE = 5, 30  # seconds: a trial without a heartbeat for GRACE is retried
_JOURNAL: Final = "journal:///"


def run_study(
    url: str | None,
    name: str,
    objective: Callable[[optuna.Trial], float],
    *,
    first: Mapping[str, Any],
    trials: int,
    seed: int,
    trials_done: Callable[[int], None],
) -> Sequence[FrozenTrial]:
    """Complete *trials* trials in the study *name*; return its first *trials* finished ones.

    *url* is ``mysql://user:password@host/database``, ``sqlite:///file``, any other URL that
    SQLAlchemy has a driver for, ``journal:///file``, or None: the study is only in memory. Its
    first trial uses the parameters *first*; the others depend on *seed* and the earlier trials.
    Processes that share a study can together do a few trials too many. *trials_done* gets the
    number of finished trials after each trial.

    Raises:
        InvalidUrl: *url* can't be used.
        Unavailable: the storage failed.
    """
    with _quiet_optuna(), _opened(url) as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            sampler=_SamplerByNumber(seed, first),
            pruner=optuna.pruners.PercentilePruner(25.0, n_startup_trials=2),
            load_if_exists=True,
        )
        with _joined(url, study):

            def finished() -> list[FrozenTrial]:
                return study.get_trials(deepcopy=False, states=FINISHED)

            callbacks: list[Callable[[optuna.Study, FrozenTrial], None]] = [
                MaxTrialsCallback(trials, states=FINISHED),
                lambda *_: trials_done(min(trials, len(finished()))),
            ]
            if missing := max(0, trials - len(finished())):
                study.optimize(objective, n_trials=missing, callbacks=callbacks)
            return finished()[:trials]


@contextmanager
def _joined(url: str | None, study: optuna.Study) -> Iterator[None]:
    """Work on a study with others. The first one fails the trials of processes that ended.

    A database does this by itself: its trials have a heartbeat.
    """

    def fail_interrupted() -> None:
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)

    if url is None or not url.startswith(_JOURNAL):
        yield
        return
    journal = Path(unquote(url.removeprefix(_JOURNAL)))
    with joined(journal.with_name(f"{journal.name}.users"), fail_interrupted):
        yield


class _SamplerByNumber(TPESampler):
    """Optuna's TPE, restarted for each trial with a seed that depends on the trial's number.

    With one stream of random numbers, a process that joins a study would repeat earlier proposals.
    Failed trials do not count, so that a search that was interrupted ends as any other. The first
    trial gets the parameters *first*: two processes could both take it from a queue.
    """

    def __init__(self, seed: int, first: Mapping[str, Any]) -> None:
        super().__init__(seed=seed % 2**32, multivariate=True)
        self._seed_of_study = seed
        self._first = first
        self._number = 0

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        failed = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
        self._number = trial.number - sum(each.number < trial.number for each in failed)
        seed = (self._seed_of_study * 1_000_003 + self._number) % 2**32
        super().__init__(seed=seed, multivariate=True)
        super().before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        if self._number == 0:
            return {}
        return super().infer_relative_search_space(study, trial)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        if self._number == 0 and param_name in self._first:
            return self._first[param_name]
        return super().sample_independent(study, trial, param_name, param_distribution)


@contextmanager
def _opened(url: str | None) -> Iterator[BaseStorage]:
    storage: BaseStorage | None = None
    try:
        storage = _storage(url)
        yield storage
    except (OSError, SQLAlchemyError, optuna.exceptions.StorageInternalError) as ex:
        # the driver's message, without the SQL and its values
        cause = getattr(ex, "orig", None) or getattr(ex.__cause__, "orig", None) or ex
        reason, *_ = str(cause).split("\n")
        raise Unavailable(f"the study can't be stored: {reason}") from ex
    finally:
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()


def _storage(url: str | None, attempts: int = 5) -> BaseStorage:
    if url is None:
        return optuna.storages.InMemoryStorage()
    if url.startswith(_JOURNAL):
        path = Path(unquote(url.removeprefix(_JOURNAL)))
        create_folder(path.parent)
        create_file(path)
        return JournalStorage(JournalFileBackend(str(path)))
    try:
        parts = make_url(url)
        if parts.drivername == "mysql":
            parts = parts.set(drivername="mysql+pymysql")
        if parts.drivername == "sqlite" and parts.database:
            Path(parts.database).parent.mkdir(parents=True, exist_ok=True)
        return RDBStorage(
            parts.render_as_string(hide_password=False),
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
        )
    except (ArgumentError, ImportError, TypeError, ValueError):
        raise InvalidUrl(  # not the library's message, which can contain the password
            "a study can be stored in journal:///file, sqlite:///file or"
            " mysql://user:password@host/database"
        ) from None
    except (IntegrityError, OperationalError):
        if attempts == 1:
            raise
        time.sleep(0.3)  # processes that create the tables at the same time conflict
        return _storage(url, attempts - 1)
    except RuntimeError as ex:  # the tables are from another version
        raise Unavailable(f"the study can't be stored: {ex}") from ex


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Keep Optuna's log and its notes about experimental features away from the user."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
