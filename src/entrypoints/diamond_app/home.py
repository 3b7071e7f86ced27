"""The use cases of one home, for programs and notebooks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from diamond_app.container import Container, build_container
from diamond_app.settings import HOME, Settings
from diamond_core import (
    AddStones,
    ChampionFollower,
    ChooseChampion,
    CompareModels,
    ExplainPrice,
    FindSimilar,
    ModelHistory,
    OutcomeLog,
    PriceDiamonds,
    PriceLadder,
    PruneModels,
    RecomputeExchange,
    ReplayRequests,
    ReportOutcomes,
    ReproduceModel,
    RequestLog,
    RunPipeline,
    StoneStore,
    TrainModels,
    WatchPrices,
)


class Home:
    """The use cases of one home. Each is created on access.

    ``champion_follower``, ``price_diamonds`` and ``find_similar`` check for a new champion on each access,
    so they use a model that was promoted meanwhile.

    Attributes:
        container: what wires the use cases; an adapter can be overridden there.
    """

    def __init__(self, container: Container) -> None:
        self.container = container

    @classmethod
    def load(cls, home: str | os.PathLike[str] | None = None) -> Self:
        """Return the home that the settings name, or the one at *home*.

        Raises:
            InvalidSetting: a setting can't be used, or *home* is not a folder.
        """
        given = {} if home is None else {HOME: str(Path(home))}
        return cls(build_container(Settings.load(os.environ | given)))

    @property
    def settings(self) -> Settings:
        """The settings of this home."""
        return self.container.settings()

    @property
    def champion_follower(self) -> ChampionFollower:
        """The model that prices now; ``get()`` raises ``NoChampion`` if there is none."""
        follower = self.container.champion_follower()
        follower.refresh()
        return follower

    @property
    def price_diamonds(self) -> PriceDiamonds:
        """Prices one stone (``one``) or a table of them (``many``)."""
        self.container.champion_follower().refresh()
        return self.container.price_diamonds()

    @property
    def explain_price(self) -> ExplainPrice:
        """Says what each property of a stone adds to its price."""
        self.container.champion_follower().refresh()
        return self.container.explain_price()

    @property
    def price_ladder(self) -> PriceLadder:
        """Says what a stone would cost with another grade or weight."""
        self.container.champion_follower().refresh()
        return self.container.price_ladder()

    @property
    def find_similar(self) -> FindSimilar:
        """Finds training stones like one stone."""
        self.container.champion_follower().refresh()
        return self.container.find_similar()

    @property
    def train_models(self) -> TrainModels:
        """Trains models, stores them, and promotes the best if it is better."""
        return self.container.train_models()

    @property
    def add_stones(self) -> AddStones:
        """Adds deliveries to the store of stones, and releases held ones."""
        return self.container.add_stones()

    @property
    def stone_store(self) -> StoneStore:
        """The stones to train on, and their deliveries."""
        return self.container.stone_store()

    @property
    def run_pipeline(self) -> RunPipeline:
        """Adds deliveries, trains on what is new, and promotes what is better."""
        return self.container.run_pipeline()

    @property
    def reproduce_model(self) -> ReproduceModel:
        """Trains a model again, and gives back the stones that it was trained on."""
        return self.container.reproduce_model()

    @property
    def history(self) -> ModelHistory:
        """All trained models, and their promotions."""
        return self.container.history()

    @property
    def choose_champion(self) -> ChooseChampion:
        """Promotes a model by hand, or returns to the previous champion."""
        return self.container.choose_champion()

    @property
    def compare_models(self) -> CompareModels:
        """Compares two models on stones that neither was trained on."""
        return self.container.compare_models()

    @property
    def prune_models(self) -> PruneModels:
        """Removes old models, and the samples that no model uses any more."""
        return self.container.prune_models()

    @property
    def report_outcomes(self) -> ReportOutcomes:
        """Keeps what was really paid for stones that were priced."""
        return self.container.report_outcomes()

    @property
    def outcome_log(self) -> OutcomeLog:
        """All outcomes that were reported."""
        return self.container.outcome_log()

    @property
    def recompute_exchange(self) -> RecomputeExchange:
        """Computes the prices of a recorded exchange again."""
        return self.container.recompute_exchange()

    @property
    def replay_requests(self) -> ReplayRequests:
        """Shows what a model would have answered to the recorded requests."""
        return self.container.replay_requests()

    @property
    def request_log(self) -> RequestLog:
        """The log of every exchange with the service."""
        return self.container.request_log()

    @property
    def watch_prices(self) -> WatchPrices:
        """Compares the requests of the last weeks with the training data."""
        return self.container.watch_prices()
