"""The adapters on real files, a real database and real estimators keep their ports' contracts."""

from __future__ import annotations

import contextlib
import csv

import pytest
from mariadb import fresh_database

from diamond_adapters.database import open_database
from diamond_adapters.families.linear import LinearFamily
from diamond_adapters.families.xgboost_family import XGBoostFamily
from diamond_adapters.filesystem_model_repository import FilesystemModelRepository
from diamond_adapters.in_memory import InMemorySource
from diamond_adapters.request_log.journalled_request_log import JournalledRequestLog
from diamond_adapters.request_log.peewee_request_archive import PeeweeRequestArchive
from diamond_adapters.request_log.peewee_request_log import PeeweeRequestLog
from diamond_adapters.request_log.settled_request_archive import SettledRequestArchive
from diamond_adapters.sources import CsvSource, SqlSource
from diamond_core.diamond import GRADES
from diamond_core.ports import no_progress
from diamond_core.testing import (
    DiamondSourceContract,
    FormulaModel,
    ModelContract,
    ModelFamilyContract,
    ModelRepositoryContract,
    RequestArchiveContract,
    RequestLogContract,
    some_stones,
)


@pytest.fixture(scope="module")
def migrated_mysql(mysql_server_url):
    """A database whose tables are made already: to make them takes longer than a test."""
    with fresh_database(mysql_server_url) as url:
        database = open_database(url)
        PeeweeRequestLog(database).latest(1)
        yield database
        database.close()


@pytest.fixture
def mysql_log(migrated_mysql):
    yield PeeweeRequestLog(migrated_mysql)
    for table in ("requests", "request_parts"):
        migrated_mysql.execute_sql(f"DELETE FROM {table}")


class TestFilesystemModelRepository(ModelRepositoryContract):
    @pytest.fixture
    def repository(self, tmp_path):
        return FilesystemModelRepository(
            tmp_path / "home", lambda graph: FormulaModel(float(graph.split()[1]))
        )


class TestPeeweeRequestLogOnSQLite(RequestLogContract):
    @pytest.fixture
    def log(self, tmp_path):
        return PeeweeRequestLog(open_database(f"sqlite:///{tmp_path / 'requests.db'}"))


class TestPeeweeRequestLogOnMySQL(RequestLogContract):
    @pytest.fixture
    def log(self, mysql_log):
        return mysql_log


class TestPeeweeRequestArchiveOnSQLite(RequestArchiveContract):
    @pytest.fixture
    def database(self, tmp_path):
        return open_database(f"sqlite:///{tmp_path / 'requests.db'}")

    @pytest.fixture
    def log(self, database):
        return PeeweeRequestLog(database)

    @pytest.fixture
    def archive(self, database):
        return PeeweeRequestArchive(database)


class TestSettledRequestArchive(TestPeeweeRequestArchiveOnSQLite):
    @pytest.fixture
    def log(self, database, tmp_path):
        log = JournalledRequestLog(PeeweeRequestLog(database), tmp_path / "journal")
        yield log
        log.close()

    @pytest.fixture
    def archive(self, log, database):
        return SettledRequestArchive(PeeweeRequestArchive(database), log.settle)


class TestPeeweeRequestArchiveOnMySQL(RequestArchiveContract):
    @pytest.fixture
    def log(self, mysql_log):
        return mysql_log

    @pytest.fixture
    def archive(self, migrated_mysql):
        return PeeweeRequestArchive(migrated_mysql)


def journalled(database, tmp_path):
    log = JournalledRequestLog(database, tmp_path / "journal")
    log.start()
    return log


class TestJournalledRequestLogOnSQLite(RequestLogContract):
    @pytest.fixture
    def log(self, tmp_path):
        database = PeeweeRequestLog(open_database(f"sqlite:///{tmp_path / 'requests.db'}"))
        with contextlib.closing(journalled(database, tmp_path)) as log:
            yield log


class TestJournalledRequestLogOnMySQL(RequestLogContract):
    @pytest.fixture
    def log(self, mysql_log, tmp_path):
        with contextlib.closing(journalled(mysql_log, tmp_path)) as log:
            yield log


class TestLinearFamily(ModelFamilyContract):
    @pytest.fixture
    def family(self):
        return LinearFamily()


@pytest.fixture(scope="module")
def linear_model():
    return LinearFamily().fit(some_stones(500), seed=0, trials=None, progress=no_progress).model


class TestModelOfTheLinearFamily(ModelContract):
    @pytest.fixture
    def model(self, linear_model):
        return linear_model


class TestXGBoostFamily(ModelFamilyContract):
    @pytest.fixture
    def family(self):
        return XGBoostFamily()


@pytest.fixture(scope="module")
def xgboost_model():
    return XGBoostFamily().fit(some_stones(500), seed=0, trials=3, progress=no_progress).model


class TestModelOfTheXGBoostFamily(ModelContract):
    @pytest.fixture
    def model(self, xgboost_model):
        return xgboost_model


class TestCsvSource(DiamondSourceContract):
    @pytest.fixture
    def source(self, table, tmp_path):
        columns = InMemorySource(table).read().columns
        path = tmp_path / "stones.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return CsvSource.from_path(path)


class TestSqlSourceOnSQLite(DiamondSourceContract):
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'stones.db'}"

    @pytest.fixture
    def source(self, table, url):
        columns = InMemorySource(table).read().columns
        database = open_database(url)
        with database.connection_context():
            kinds = (f"`{name}` {'DOUBLE' if name not in GRADES else 'TEXT'}" for name in columns)
            database.execute_sql(f"CREATE TABLE bought ({', '.join(kinds)})")
            marks = ", ".join([database.param] * len(columns))
            for row in zip(*columns.values(), strict=True):
                database.execute_sql(f"INSERT INTO bought VALUES ({marks})", row)
        return SqlSource(f"{url}?table=bought")


class TestSqlSourceOnMySQL(TestSqlSourceOnSQLite):
    @pytest.fixture
    def url(self, mysql_url):
        return mysql_url
