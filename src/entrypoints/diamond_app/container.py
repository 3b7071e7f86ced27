"""The one place where ports meet adapters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from dependency_injector import containers, providers

from diamond_adapters.database import open_database
from diamond_adapters.families.installed import InstalledFamilies
from diamond_adapters.filesystem_model_repository import FilesystemModelRepository
from diamond_adapters.request_log.journalled_request_log import JournalledRequestLog
from diamond_adapters.request_log.peewee_request_archive import PeeweeRequestArchive
from diamond_adapters.request_log.peewee_request_log import PeeweeRequestLog
from diamond_adapters.request_log.settled_request_archive import SettledRequestArchive
from diamond_app.settings import Settings
from diamond_core.ports import Clock, Model, RequestArchive, RequestLog, Training
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.compare_models import CompareModels
from diamond_core.use_cases.find_similar import FindSimilar
from diamond_core.use_cases.price_diamonds import PriceDiamonds
from diamond_core.use_cases.serve_champion import Champion
from diamond_core.use_cases.train_models import TrainModels


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def _open_onnx(graph: bytes) -> Model:
    from diamond_adapters.onnx_model import OnnxModel  # commands that load no model need no runtime

    return OnnxModel(graph)


def _journal_folder(home: Path) -> Path:
    return home / "journal"


def default_study(home: Path) -> str:
    """Return the URL of the file that keeps searches for parameters."""
    return f"journal:///{home / 'studies.journal'}"


def _open_estimator(pickled: bytes) -> Model:
    from diamond_adapters.estimator_model import EstimatorModel

    return EstimatorModel(pickled)


def _estimator_opener(allowed: bool) -> Callable[[bytes], Model] | None:
    return _open_estimator if allowed else None


def _write_report(training: Training) -> bytes:
    from diamond_adapters.report import write_report  # only training needs it

    return write_report(training)


class Container(containers.DeclarativeContainer):
    """Everything that runs, from the settings."""

    settings = providers.Dependency(instance_of=Settings)

    clock: providers.Provider[Clock] = providers.Object(utc_now)
    study: providers.Provider[str] = providers.Callable(default_study, settings.provided.home)
    families = providers.Singleton(InstalledFamilies, study)
    models: providers.Provider[FilesystemModelRepository] = providers.Singleton(
        FilesystemModelRepository,
        settings.provided.home,
        providers.Object(_open_onnx),
        providers.Callable(_estimator_opener, settings.provided.allow_pickle),
    )
    database = providers.Singleton(open_database, settings.provided.database_url)
    database_log: providers.Provider[RequestLog] = providers.Singleton(PeeweeRequestLog, database)
    request_log: providers.Provider[JournalledRequestLog] = providers.Singleton(
        JournalledRequestLog,
        database_log,
        providers.Callable(_journal_folder, settings.provided.home),
        durable=settings.provided.journal_durable,
        limit=settings.provided.journal_limit,
    )
    database_archive: providers.Provider[RequestArchive] = providers.Singleton(
        PeeweeRequestArchive, database
    )
    request_archive: providers.Provider[RequestArchive] = providers.Singleton(
        SettledRequestArchive, database_archive, request_log.provided.settle
    )

    champion = providers.Singleton(Champion, models)
    price_diamonds = providers.Factory(PriceDiamonds, champion)
    find_similar = providers.Factory(FindSimilar, champion)
    choose_champion = providers.Factory(ChooseChampion, models, clock)
    compare_models = providers.Factory(CompareModels, models)
    train_models = providers.Factory(
        TrainModels, families, models, clock, providers.Object(_write_report)
    )


def build_container(settings: Settings) -> Container:
    """Return the wired container; nothing is opened yet."""
    container = Container(settings=settings)
    container.check_dependencies()
    return container
