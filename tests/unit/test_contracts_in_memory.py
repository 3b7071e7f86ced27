"""The in-memory adapters and the formula model keep the contracts of their ports."""

from __future__ import annotations

import pytest

from diamond_adapters.in_memory import (
    InMemoryExclusiveWork,
    InMemoryModelRepository,
    InMemoryMonitoringStore,
    InMemoryOutcomeLog,
    InMemoryPipelineRuns,
    InMemoryRequestLog,
    InMemoryShadowLog,
    InMemoryStoneSource,
    InMemoryStoneStore,
)
from diamond_core import Unavailable
from diamond_core.testing import (
    ExclusiveWorkContract,
    FormulaModel,
    LargeStoneSourceContract,
    ModelContract,
    ModelRepositoryContract,
    MonitoringStoreContract,
    OutcomeLogContract,
    PipelineRunsContract,
    RequestLogContract,
    ShadowLogContract,
    StoneSourceContract,
    StoneStoreContract,
    an_exchange,
)
from diamond_core.testing.request_log_contract import newest


def breaks(adapter):
    def break_down():
        adapter.failure = Unavailable("a test broke it")

    return break_down


class EndsWithTheProcess:
    @pytest.fixture
    def elsewhere(self):
        return None


class InMemoryLog(EndsWithTheProcess):
    @pytest.fixture
    def log(self):
        return self.adapter()

    @pytest.fixture
    def reopen(self, log):
        return lambda: log

    @pytest.fixture
    def break_down(self, log):
        return breaks(log)


class TestFormulaModel(ModelContract):
    ordered = ("carat", "cut", "color", "clarity")
    ordered_measured = ("cut", "color", "clarity")

    @pytest.fixture
    def model(self):
        return FormulaModel()


class TestInMemoryModelRepository(EndsWithTheProcess, ModelRepositoryContract):
    @pytest.fixture
    def repository(self):
        return InMemoryModelRepository()

    @pytest.fixture
    def reopen(self, repository):
        return lambda: repository

    @pytest.fixture
    def damage(self, repository):
        return repository.damage

    @pytest.fixture
    def damage_shared(self, repository):
        return repository.damage_shared

    @pytest.fixture
    def break_down(self, repository):
        return breaks(repository)


class TestInMemoryExclusiveWork(EndsWithTheProcess, ExclusiveWorkContract):
    @pytest.fixture
    def work(self):
        return InMemoryExclusiveWork()

    @pytest.fixture
    def reopen(self, work):
        return lambda: work

    @pytest.fixture
    def break_down(self, work):
        return breaks(work)


class TestInMemoryRequestLog(InMemoryLog, RequestLogContract):
    adapter = InMemoryRequestLog


class TestInMemoryOutcomeLog(InMemoryLog, OutcomeLogContract):
    adapter = InMemoryOutcomeLog


class TestInMemoryShadowLog(InMemoryLog, ShadowLogContract):
    adapter = InMemoryShadowLog


class TestInMemoryStoneSource(StoneSourceContract):
    @pytest.fixture
    def source(self, table):
        return InMemoryStoneSource(table)

    @pytest.fixture
    def missing(self):
        return None


class TestLargeInMemoryStoneSource(LargeStoneSourceContract):
    @pytest.fixture
    def source(self, table):
        return InMemoryStoneSource(table)

    @pytest.fixture
    def missing(self):
        return None


def test_keeps_the_last_exchanges_of_a_log_with_a_maximum():
    log = InMemoryRequestLog(maximum=2)
    exchanges = [an_exchange() for _ in range(3)]
    for exchange in exchanges:
        log.append(exchange)
    assert newest(log) == exchanges[:0:-1]


class TestInMemoryStoneStore(StoneStoreContract):
    @pytest.fixture
    def store(self):
        return InMemoryStoneStore()

    @pytest.fixture
    def break_down(self, store):
        return breaks(store)


class TestInMemoryPipelineRuns(PipelineRunsContract):
    @pytest.fixture
    def runs(self):
        return InMemoryPipelineRuns()

    @pytest.fixture
    def break_down(self, runs):
        return breaks(runs)


class TestInMemoryMonitoringStore(MonitoringStoreContract):
    @pytest.fixture
    def store(self):
        return InMemoryMonitoringStore()

    @pytest.fixture
    def break_down(self, store):
        return breaks(store)
