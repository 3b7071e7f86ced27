"""The container: it wires the use cases to the adapters."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from dependency_injector import containers, providers

from diamond_adapters.families.installed import InstalledFamilies
from diamond_adapters.installed import (
    MODEL_REPOSITORIES,
    OUTCOME_LOGS,
    SHADOW_LOGS,
    STONE_STORES,
    find,
    open_url,
)
from diamond_app.settings import (
    DATA_URL,
    DATABASE_URL,
    HOME,
    KEEP_REQUESTS,
    MODELS_URL,
    MONITOR_EVERY,
    REQUESTS_LIMIT,
    SECRETS,
    SHADOW,
    Settings,
)
from diamond_core import (
    AddStones,
    ChampionFollower,
    ChooseChampion,
    CleanSources,
    Clock,
    CompareModels,
    CopyModels,
    DriftLimits,
    Exchange,
    ExclusiveWork,
    ExplainPrice,
    FindSimilar,
    GateLimits,
    InvalidSetting,
    InvalidUrl,
    Model,
    ModelCard,
    ModelFamily,
    ModelHistory,
    ModelLoader,
    ModelRepository,
    MonitoringStore,
    Notify,
    OutcomeLog,
    PipelineRuns,
    PriceDiamonds,
    PricedStones,
    PriceLadder,
    PruneModels,
    ReadPriced,
    RecomputeExchange,
    ReplayRequests,
    ReportInput,
    ReportOutcomes,
    ReproduceModel,
    RequestLog,
    RunPipeline,
    ShadowLog,
    ShadowPrices,
    StoneSource,
    StoneStore,
    TrainModels,
    WatchPrices,
    clean_here,
    notify_nobody,
)

if TYPE_CHECKING:
    from diamond_adapters.cluster.dask_engine import DaskEngine
    from diamond_adapters.requests.dead_letters import DeadLetters
    from diamond_adapters.requests.destination import Destination


_DAY = timedelta(days=1)
_FILES = frozenset(f"{name}_FILE" for name in SECRETS)


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


def default_study(home: Path) -> str:
    """Return the URL of the file that stores parameter searches."""
    return f"journal:///{quote(str(home / 'studies.journal'))}"


def repeat_command(card: ModelCard) -> str:
    """Return the command that repeats the training of a model."""
    trials = "" if card.trials is None else f" --trials {card.trials}"
    return f"diamond train --family {card.family} --seed {card.seed}{trials} --force"


@contextmanager
def _from_setting(name: str) -> Iterator[None]:
    """Report an invalid URL as an error of the setting that contains it."""
    try:
        yield
    except InvalidUrl as ex:
        raise InvalidSetting(name, str(ex)) from ex


def _open_model_repository(settings: Settings) -> ModelRepository:
    with _from_setting(MODELS_URL):
        repository: ModelRepository = open_url(MODEL_REPOSITORIES, settings.models_url)
    return repository


def _copied(settings: Settings, repository: ModelRepository) -> ModelRepository:
    """Return the repository with copies in the home, unless its files are on a disk already."""
    if settings.models_on_disk or settings.models_url.startswith("memory:"):
        return repository
    from diamond_adapters.models.cached_model_repository import CachedModelRepository

    url = hashlib.sha256(settings.models_url.encode("utf-8", "surrogateescape")).hexdigest()
    return CachedModelRepository(repository, settings.home / "copies" / url[:16])


def _history_at(url: str) -> ModelHistory:
    """Return the history at another URL."""
    repository: ModelRepository = open_url(MODEL_REPOSITORIES, url)
    return ModelHistory(repository, _load_graph)


def _open_stone_store(settings: Settings) -> StoneStore:
    with _from_setting(DATA_URL):
        store: StoneStore = open_url(STONE_STORES, settings.data_url)
    return store


def _open_pipeline_runs(settings: Settings) -> PipelineRuns:
    from diamond_adapters.pipeline_run_files import PipelineRunFiles

    return PipelineRunFiles(settings.home / "pipeline")


def _open_monitoring_store(settings: Settings) -> MonitoringStore:
    from diamond_adapters.monitoring_file import MonitoringFile

    return MonitoringFile(settings.home)


def _drift_limits(settings: Settings) -> DriftLimits:
    return DriftLimits(
        psi=settings.drift_psi, outside=settings.drift_outside, bias=settings.live_bias
    )


def _read_priced(exchanges: Iterable[Exchange]) -> Iterator[PricedStones]:
    from diamond_app.priced_exchanges import read_priced  # some commands need no API

    return read_priced(exchanges)


def _gate_limits(settings: Settings) -> GateLimits:
    return GateLimits(rejected=settings.gate_rejected, factor=settings.gate_factor)


def _open_exclusive_work(settings: Settings) -> ExclusiveWork:
    """Return locks beside the models, in MySQL, or else in the home, for this host only."""
    models, data = urlsplit(settings.models_url), urlsplit(settings.data_url)
    is_shared = models.scheme != "file" or data.scheme != "file"
    if is_shared and urlsplit(settings.database_url).scheme == "mysql":
        from diamond_adapters.mysql_locks import MySQLLocks

        return MySQLLocks(settings.database_url)
    from diamond_adapters.lock_files import LockFiles

    return LockFiles(Path(unquote(models.path)) if models.scheme == "file" else settings.home)


def _open_destination(settings: Settings) -> Destination:
    from diamond_adapters.requests.destination import open_destination

    with _from_setting(DATABASE_URL):
        return open_destination(settings.database_url, settings.spool)


def _dead_letters(settings: Settings) -> DeadLetters:
    from diamond_adapters.requests.dead_letters import DeadLetters

    return DeadLetters(settings.spool)


def _begin_shipper(settings: Settings, lock: int) -> subprocess.Popen[bytes]:
    """Start the shipper of a home; it inherits *lock*, a file descriptor with the shipper's lock.

    Raises:
        OSError: the process can't be started.
    """
    keep = settings.keep_requests
    given = {
        HOME: str(settings.home),
        DATABASE_URL: settings.database_url,
        KEEP_REQUESTS: "" if keep is None else f"{keep.total_seconds():.0f}s",
        REQUESTS_LIMIT: str(settings.requests_limit or ""),
        MODELS_URL: settings.models_url,
        MONITOR_EVERY: f"{settings.monitor_every.total_seconds():.0f}s",
        SHADOW: settings.shadow or "",
    }
    return subprocess.Popen(  # noqa: S603  # a module of ours
        [sys.executable, "-m", "diamond_app.shipper", str(lock)],
        env={name: text for name, text in os.environ.items() if name not in _FILES} | given,
        pass_fds=[lock],
        start_new_session=True,  # a signal to the service does not interrupt it
    )


def _open_request_log(settings: Settings, destination: Destination) -> RequestLog:
    """Return the log in the database, behind a spool on this host's disk."""
    from diamond_adapters.requests.retention import Retention
    from diamond_adapters.requests.spooled_request_log import SpooledRequestLog

    return SpooledRequestLog(
        destination,
        settings.spool,
        durable=settings.spool_durable,
        limit=settings.spool_limit,
        begin_shipper=functools.partial(_begin_shipper, settings),
        retention=Retention(settings.keep_requests, settings.requests_limit),
        database=settings.database_digest,
        watch=settings.watch,
    )


def _open_beside_requests(group: str, settings: Settings) -> Any:
    """Return an adapter of the request log's database, or of a file if the group has none for it."""
    url = settings.database_url
    if urlsplit(url).scheme not in find(group):
        url = f"sqlite:///{quote(str(settings.home / 'outcomes.db'))}"
    with _from_setting(DATABASE_URL):
        return open_url(group, url)


def _outcome_source(outcomes: OutcomeLog) -> StoneSource:
    from diamond_adapters.sources.outcomes import OutcomeSource

    return OutcomeSource(outcomes)


def _load_graph(graph: memoryview, features: tuple[str, ...]) -> Model:
    from diamond_adapters.models.onnx_model import OnnxModel  # some commands need no runtime

    return OnnxModel(graph, features)


def _load_estimator(pickled: memoryview, features: tuple[str, ...]) -> Model:
    from diamond_adapters.models.estimator_model import EstimatorModel

    return EstimatorModel(pickled, features)


def _estimator_loader(settings: Settings) -> ModelLoader | None:
    return _load_estimator if settings.allow_pickle else None


def _write_report(report: ReportInput) -> bytes:
    from diamond_adapters.report import write_report  # only training needs it

    return write_report(report, repeat_command(report.card))


def _notifier(settings: Settings) -> Notify:
    if not settings.notify_url:
        return notify_nobody
    from diamond_adapters.notifier import Notifier

    return Notifier(settings.notify_url)


def _aging(settings: Settings) -> dict[str, float | None]:
    """Return the arguments of ``TrainingConfig`` about the age of prices, in days."""
    ages = {"half_life": settings.half_life, "window": settings.window}
    return {name: None if age is None else age / _DAY for name, age in ages.items()}


def _boosted_on(cluster: DaskEngine, *args: Any) -> Any:
    from diamond_adapters.families.xgboost.dask_boost import boosted_on  # its import takes seconds

    return boosted_on(cluster, *args)


def _installed_families(settings: Settings, cluster: DaskEngine | None) -> InstalledFamilies:
    of_linear: dict[str, Any] = {}
    of_xgboost: dict[str, Any] = {"order_cut": True} if settings.order_cut else {}
    if cluster is not None:
        of_linear["engine"] = of_xgboost["engine"] = cluster
        of_xgboost["boost"] = functools.partial(_boosted_on, cluster)
    return InstalledFamilies({"linear": of_linear, "xgboost": of_xgboost})


def _clean_sources(cluster: DaskEngine | None) -> CleanSources:
    if cluster is None:
        return clean_here
    from diamond_adapters.cluster.cleaning import clean_on

    return functools.partial(clean_on, cluster)


class Container(containers.DeclarativeContainer):
    """All parts of the application, wired from the settings."""

    settings = providers.Dependency(instance_of=Settings)

    clock: providers.Provider[Clock] = providers.Object(utc_now)
    cluster: providers.Provider[DaskEngine | None] = providers.Object(None)
    """Where models are trained, if not in this process."""
    families: providers.Provider[Mapping[str, ModelFamily]] = providers.Singleton(
        _installed_families, settings, cluster
    )
    study: providers.Provider[str] = providers.Callable(default_study, settings.provided.home)
    aging: providers.Provider[dict[str, float | None]] = providers.Callable(_aging, settings)
    model_repository: providers.Provider[ModelRepository] = providers.Singleton(
        _open_model_repository, settings
    )
    exclusive_work: providers.Provider[ExclusiveWork] = providers.Singleton(
        _open_exclusive_work, settings
    )
    destination: providers.Provider[Destination] = providers.Singleton(_open_destination, settings)
    dead_letters: providers.Provider[DeadLetters] = providers.Singleton(_dead_letters, settings)
    request_log: providers.Provider[RequestLog] = providers.Singleton(
        _open_request_log, settings, destination
    )

    outcome_log: providers.Provider[OutcomeLog] = providers.Singleton(
        _open_beside_requests, OUTCOME_LOGS, settings
    )
    shadow_log: providers.Provider[ShadowLog] = providers.Singleton(
        _open_beside_requests, SHADOW_LOGS, settings
    )
    outcome_source: providers.Provider[StoneSource] = providers.Factory(
        _outcome_source, outcome_log
    )
    read_priced: providers.Provider[ReadPriced] = providers.Object(_read_priced)
    report_outcomes = providers.Factory(
        ReportOutcomes, request_log, read_priced, outcome_log, clock
    )

    history = providers.Singleton(
        ModelHistory,
        providers.Callable(_copied, settings, model_repository),
        providers.Object(_load_graph),
        providers.Callable(_estimator_loader, settings),
    )
    stored_history = providers.Factory(
        ModelHistory, model_repository, providers.Object(_load_graph)
    )
    """The history without copies: what other hosts see."""
    history_at = providers.Factory(_history_at)
    copy_models = providers.Factory(CopyModels, exclusive_work)
    champion_follower = providers.Singleton(ChampionFollower, history)
    price_diamonds = providers.Factory(PriceDiamonds, champion_follower)
    explain_price = providers.Singleton(ExplainPrice, champion_follower)
    price_ladder = providers.Factory(PriceLadder, champion_follower)
    find_similar = providers.Factory(FindSimilar, champion_follower)
    choose_champion = providers.Factory(ChooseChampion, history, clock)
    compare_models = providers.Factory(CompareModels, history)
    recompute_exchange = providers.Factory(RecomputeExchange, request_log, history, read_priced)
    replay_requests = providers.Factory(
        ReplayRequests, request_log, history, read_priced, clock, outcome_log
    )
    prune_models = providers.Factory(
        PruneModels, stored_history, model_repository, exclusive_work, settings.provided.shadow
    )
    stone_store: providers.Provider[StoneStore] = providers.Singleton(_open_stone_store, settings)
    add_stones = providers.Factory(
        AddStones,
        stone_store,
        history,
        exclusive_work,
        clock,
        providers.Callable(_gate_limits, settings),
    )
    train_models = providers.Factory(
        TrainModels,
        families,
        history,
        exclusive_work,
        clock,
        providers.Object(_write_report),
        providers.Callable(_clean_sources, cluster),
    )

    reproduce_model = providers.Factory(ReproduceModel, families, history, stone_store)
    pipeline_runs: providers.Provider[PipelineRuns] = providers.Singleton(
        _open_pipeline_runs, settings
    )
    notify: providers.Provider[Notify] = providers.Singleton(_notifier, settings)
    monitoring_store: providers.Provider[MonitoringStore] = providers.Singleton(
        _open_monitoring_store, settings
    )
    drift_limits: providers.Provider[DriftLimits] = providers.Callable(_drift_limits, settings)
    shadow_prices = providers.Factory(ShadowPrices, shadow_log, history, settings.provided.shadow)
    watch_prices = providers.Factory(
        WatchPrices,
        request_log,
        read_priced,
        history,
        monitoring_store,
        outcome_log,
        clock,
        drift_limits,
        shadow_prices,
        settings.provided.keep_requests,
    )
    run_pipeline = providers.Factory(
        RunPipeline,
        stone_store,
        history,
        add_stones,
        train_models,
        pipeline_runs,
        exclusive_work,
        clock,
        notify,
        watch_prices,
    )


def build_container(settings: Settings) -> Container:
    """Return the wired container; nothing is opened yet."""
    container = Container(settings=settings)
    container.check_dependencies()
    return container
