"""The application on in-memory adapters for every port, to be called in process."""

from __future__ import annotations

from pathlib import Path

from dependency_injector import providers

from diamond_adapters.in_memory import (
    InMemoryExclusiveWork,
    InMemoryModelRepository,
    InMemoryMonitoringStore,
    InMemoryOutcomeLog,
    InMemoryPipelineRuns,
    InMemoryRequestLog,
    InMemoryShadowLog,
    InMemoryStoneStore,
)
from diamond_app.container import Container, build_container
from diamond_app.settings import ApiKeys, Settings
from diamond_core import ChooseChampion, FittedModel, ModelHistory
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON

NOWHERE = Path("/nowhere/home")


class FormulaFamily:
    """A family that learns nothing: its prices are those of the formula times a factor."""

    name = "formula"

    def __init__(self) -> None:
        self.factor = 1.0

    def fit(self, table, *, seed, trials, weights, study, progress) -> FittedModel:
        progress("computing", 0.5)
        return a_fitted_model(table, factor=self.factor)


def in_memory(
    home: Path = NOWHERE, api_keys: str = "", cors_origins: tuple[str, ...] = ()
) -> Container:
    """Return a container whose adapters are all in memory; nothing is written to *home*."""
    settings = Settings(
        home=home,
        models_url=home.as_uri(),
        data_url=(home / "data").as_uri(),
        database_url="sqlite:////nowhere/at/all.db",
        api_keys=ApiKeys.parse(api_keys),
        cors_origins=cors_origins,
    )
    container = build_container(settings)
    for port, adapter in {
        container.model_repository: InMemoryModelRepository(),
        container.exclusive_work: InMemoryExclusiveWork(),
        container.request_log: InMemoryRequestLog(),
        container.outcome_log: InMemoryOutcomeLog(),
        container.shadow_log: InMemoryShadowLog(),
        container.stone_store: InMemoryStoneStore(),
        container.pipeline_runs: InMemoryPipelineRuns(),
        container.monitoring_store: InMemoryMonitoringStore(),
        container.families: {"formula": FormulaFamily()},
    }.items():
        port.override(providers.Object(adapter))
    history = ModelHistory(container.model_repository(), load_formula)
    container.history.override(providers.Object(history))
    return container


def with_champion(container: Container, **changes) -> Container:
    """Publish a formula of the card's *changes*, make it the champion, and return the container."""
    card, stones = a_card(**changes), some_stones(400)
    container.history().publish(card, a_fitted_model(stones), stones)
    ChooseChampion(container.history(), lambda: NOON).promote(card.id, reason="test", by="test")
    container.champion_follower().refresh()
    return container
