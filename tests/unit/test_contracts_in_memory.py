"""The in-memory adapters and the fakes keep the contracts of their ports."""

from __future__ import annotations

import pytest

from diamond_adapters.in_memory import (
    InMemoryModelRepository,
    InMemoryRequestLog,
    InMemorySource,
)
from diamond_core.testing import (
    DiamondSourceContract,
    FormulaModel,
    ModelContract,
    ModelRepositoryContract,
    RequestArchiveContract,
    RequestLogContract,
)


class TestFormulaModel(ModelContract):
    @pytest.fixture
    def model(self):
        return FormulaModel()


class TestInMemoryModelRepository(ModelRepositoryContract):
    @pytest.fixture
    def repository(self):
        return InMemoryModelRepository()


class TestInMemoryRequestLog(RequestLogContract):
    @pytest.fixture
    def log(self):
        return InMemoryRequestLog()


class TestInMemoryRequestArchive(RequestArchiveContract):
    @pytest.fixture
    def log(self):
        return InMemoryRequestLog()

    @pytest.fixture
    def archive(self, log):
        return log


class TestInMemorySource(DiamondSourceContract):
    @pytest.fixture
    def source(self, table):
        return InMemorySource(table)
