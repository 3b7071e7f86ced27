"""The adapters on real files, a real database and real estimators keep their ports' contracts."""

from __future__ import annotations

import contextlib
import csv
import shutil

import obstore
import pytest
from deltalake import DeltaTable
from mariadb import fresh_database
from tables import write_parquet, write_workbook

from diamond_adapters.database import open_database
from diamond_adapters.families.features import FOUR_CS
from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.families.xgboost.family import XGBoostFamily
from diamond_adapters.in_memory import InMemoryStoneSource
from diamond_adapters.lock_files import LockFiles
from diamond_adapters.models.cached_model_repository import CachedModelRepository
from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_adapters.models.object_model_repository import ObjectModelRepository
from diamond_adapters.monitoring_file import MonitoringFile
from diamond_adapters.mysql_locks import MySQLLocks
from diamond_adapters.object_store import open_store
from diamond_adapters.pipeline_run_files import PipelineRunFiles
from diamond_adapters.requests.peewee_outcome_log import PeeweeOutcomeLog
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.peewee_shadow_log import PeeweeShadowLog
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_adapters.sources.excel_source import ExcelSource
from diamond_adapters.sources.file_source import FileSource
from diamond_adapters.sources.parquet_source import ParquetSource
from diamond_adapters.sources.sql_source import SqlSource
from diamond_adapters.stone_store import delta_stone_store
from diamond_adapters.stone_store.delta_stone_store import DeltaStoneStore
from diamond_core import ExchangeFilter, no_progress
from diamond_core.stones.fields import GRADES
from diamond_core.testing import (
    ExclusiveWorkContract,
    LargeStoneSourceContract,
    ModelContract,
    ModelFamilyContract,
    ModelRepositoryContract,
    MonitoringStoreContract,
    OutcomeLogContract,
    PipelineRunsContract,
    RequestLogContract,
    ShadowLogContract,
    StoneSourceContract,
    StoneStoreContract,
    some_stones,
)
from diamond_core.testing.monitoring_store_contract import a_monitoring, counted_stones
from diamond_core.testing.pipeline_runs_contract import a_run
from diamond_core.testing.stone_store_contract import as_rows, delivery, records, rows


class TestFilesystemModelRepository(ModelRepositoryContract):
    @pytest.fixture
    def repository(self, reopen):
        return reopen()

    @pytest.fixture
    def reopen(self, tmp_path):
        return lambda: FilesystemModelRepository(tmp_path / "home")

    @pytest.fixture
    def elsewhere(self, tmp_path):
        return f"""
from pathlib import Path
from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
repository = FilesystemModelRepository(Path({str(tmp_path / "home")!r}))
"""

    @pytest.fixture
    def damage(self, tmp_path):
        def damage(model, name):
            (tmp_path / "home" / "models" / model / name).write_bytes(b"damaged")

        return damage

    @pytest.fixture
    def damage_shared(self, tmp_path):
        def damage_shared(digest):
            (tmp_path / "home" / "samples" / f"{digest}.npy").write_bytes(b"damaged")

        return damage_shared

    @pytest.fixture
    def break_down(self, tmp_path):
        def break_down():
            for name in ("models", "samples", "promotions"):
                shutil.rmtree(tmp_path / "home" / name, ignore_errors=True)
                (tmp_path / "home" / name).write_text("a file where a folder was")

        return break_down


class TestObjectModelRepository(ModelRepositoryContract):
    """In S3, and in memory; with copies on this host's disk, and without."""

    @pytest.fixture(params=["memory", "s3", "s3 with copies"])
    def url(self, request, tmp_path):
        if request.param == "memory":
            return f"memory:///{tmp_path}"
        return f"s3://{request.getfixturevalue('bucket')}/{tmp_path.name}/a prefix"

    @pytest.fixture
    def folder(self, request, tmp_path):
        return tmp_path / "copies" if "copies" in request.node.callspec.id else None

    @pytest.fixture
    def repository(self, reopen):
        return reopen()

    @pytest.fixture
    def reopen(self, url, folder):
        def reopen():
            repository = ObjectModelRepository.from_url(url)
            return CachedModelRepository(repository, folder) if folder else repository

        return reopen

    @pytest.fixture
    def elsewhere(self, url):
        if url.startswith("memory"):
            return None
        return f"""
from diamond_adapters.models.object_model_repository import ObjectModelRepository
repository = ObjectModelRepository.from_url({url!r})
"""

    @pytest.fixture
    def damage(self, url, folder):
        def damage(model, name):
            location = ObjectModelRepository.from_url(url).location(model, name)
            obstore.put(open_store(url), location.removeprefix(f"{url}/"), b"damaged")
            forget_copies(folder)

        return damage

    @pytest.fixture
    def damage_shared(self, url, folder):
        def damage_shared(digest):
            obstore.put(open_store(url), f"samples/{digest}.npy", b"damaged")
            forget_copies(folder)

        return damage_shared

    @pytest.fixture
    def break_down(self, url, repository, folder, monkeypatch):
        def break_down():
            if url.startswith("memory"):
                pytest.skip("a store in memory does not fail")
            monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            gone = open_store(url)
            stored = repository._repository if folder else repository
            monkeypatch.setattr(stored, "_store", gone)
            forget_copies(folder)

        return break_down


def forget_copies(folder):
    if folder and folder.exists():
        shutil.rmtree(folder)


class TestLockFiles(ExclusiveWorkContract):
    @pytest.fixture
    def work(self, reopen):
        return reopen()

    @pytest.fixture
    def reopen(self, tmp_path):
        return lambda: LockFiles(tmp_path / "home")

    @pytest.fixture
    def elsewhere(self, tmp_path):
        return f"""
from pathlib import Path
from diamond_adapters.lock_files import LockFiles
work = LockFiles(Path({str(tmp_path / "home")!r}))
"""

    @pytest.fixture
    def break_down(self, tmp_path):
        return lambda: (tmp_path / "home").write_text("a file where a folder was")


class TestMySQLLocks(ExclusiveWorkContract):
    @pytest.fixture
    def url(self, mysql_url):
        return [mysql_url]

    @pytest.fixture
    def work(self, url):
        return MySQLLocks(url[0])

    @pytest.fixture
    def reopen(self, url):
        return lambda: MySQLLocks(url[0])

    @pytest.fixture
    def elsewhere(self, url):
        return f"""
from diamond_adapters.mysql_locks import MySQLLocks
work = MySQLLocks({url[0]!r})
"""

    @pytest.fixture
    def break_down(self, work, mysql_url):
        def break_down():
            database = open_database(mysql_url)
            with database.connection_context():
                database.execute_sql(f"DROP DATABASE `{database.database}`")

        yield break_down
        database = open_database(mysql_url.rpartition("/")[0] + "/mysql")
        with database.connection_context():
            name = mysql_url.rpartition("/")[2].partition("?")[0]
            database.execute_sql(f"CREATE DATABASE IF NOT EXISTS `{name}`")


class OnSQLite:
    @pytest.fixture
    def database_url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'database' / 'requests.db'}"

    @pytest.fixture
    def break_down(self, tmp_path, log):
        def break_down():
            log.close()
            shutil.rmtree(tmp_path / "database", ignore_errors=True)
            (tmp_path / "database").write_text("a file where a folder was")

        return break_down


@pytest.fixture(scope="module")
def migrated_mysql(mysql_server_url):
    """The URL of a database whose tables are made already: to make them takes longer than a test."""
    with fresh_database(mysql_server_url) as url:
        PeeweeRequestLog.from_url(url).count(ExchangeFilter())
        yield url


class OnMySQL:
    @pytest.fixture
    def database_url(self, migrated_mysql):
        yield migrated_mysql
        database = open_database(migrated_mysql)
        with database.connection_context():
            for table in ("requests", "request_parts", "spool_marks", "outcomes", "shadow_prices"):
                if table in database.get_tables():
                    database.execute_sql(f"DELETE FROM {table}")

    @pytest.fixture
    def break_down(self):
        pytest.skip("tests/integration/test_request_database_away.py stops a server")


class ThroughPeewee:
    adapter = PeeweeRequestLog

    @pytest.fixture
    def log(self, reopen):
        log = reopen()
        yield log
        log.close()

    @pytest.fixture
    def reopen(self, database_url):
        return lambda: self.adapter.from_url(database_url)

    @pytest.fixture
    def elsewhere(self, database_url):
        name = self.adapter.__name__
        return f"""
from {self.adapter.__module__} import {name}
log = {name}.from_url({database_url!r})
"""


class TestPeeweeRequestLogOnSQLite(OnSQLite, ThroughPeewee, RequestLogContract):
    pass


class TestPeeweeRequestLogOnMySQL(OnMySQL, ThroughPeewee, RequestLogContract):
    pass


class TestPeeweeOutcomeLogOnSQLite(OnSQLite, ThroughPeewee, OutcomeLogContract):
    adapter = PeeweeOutcomeLog


class TestPeeweeOutcomeLogOnMySQL(OnMySQL, ThroughPeewee, OutcomeLogContract):
    adapter = PeeweeOutcomeLog


class TestPeeweeShadowLogOnSQLite(OnSQLite, ThroughPeewee, ShadowLogContract):
    adapter = PeeweeShadowLog


class TestPeeweeShadowLogOnMySQL(OnMySQL, ThroughPeewee, ShadowLogContract):
    adapter = PeeweeShadowLog


class SpooledContract(RequestLogContract):
    @pytest.fixture
    def log(self, reopen):
        with contextlib.closing(reopen()) as log:
            log.start()
            yield log

    @pytest.fixture
    def reopen(self, database_url, tmp_path):
        return lambda: SpooledRequestLog(
            PeeweeRequestLog.from_url(database_url), tmp_path / "spool"
        )

    @pytest.fixture
    def elsewhere(self, database_url, tmp_path):
        return f"""
from pathlib import Path
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
log = SpooledRequestLog(
    PeeweeRequestLog.from_url({database_url!r}), Path({str(tmp_path / "spool")!r})
)
"""


class TestSpooledRequestLogOnSQLite(OnSQLite, SpooledContract):
    @pytest.fixture
    def break_down(self):
        pytest.skip("tests/integration/test_request_database_away.py does it")


class TestSpooledRequestLogOnMySQL(OnMySQL, SpooledContract):
    pass


class TestLinearFamily(ModelFamilyContract):
    @pytest.fixture
    def family(self):
        return LinearFamily()


def fitted(family, trials):
    table = some_stones(500)
    options = {"weights": None, "study": None, "progress": no_progress}
    return family.fit(table, seed=0, trials=trials, **options).model


@pytest.fixture(scope="module")
def linear_model():
    return fitted(LinearFamily(), None)


class TestModelOfTheLinearFamily(ModelContract):
    ordered = FOUR_CS
    ordered_measured = ("color", "clarity")

    @pytest.fixture
    def model(self, linear_model):
        return linear_model


class TestXGBoostFamily(ModelFamilyContract):
    @pytest.fixture
    def family(self):
        return XGBoostFamily()


@pytest.fixture(scope="module")
def xgboost_model():
    return fitted(XGBoostFamily(), 3)


class TestModelOfTheXGBoostFamily(ModelContract):
    ordered = FOUR_CS
    ordered_measured = ("color", "clarity")

    @pytest.fixture
    def model(self, xgboost_model):
        return xgboost_model


def columns_of(table):
    """The table's columns as text or numbers, None for unknown."""
    columns = {}
    for batch in InMemoryStoneSource(table).read():
        for name, values in batch.columns.items():
            columns.setdefault(name, []).extend(values)
    return columns


class CsvFixture:
    @pytest.fixture
    def source(self, table, tmp_path):
        columns = columns_of(table)
        path = tmp_path / "stones.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return FileSource.from_path(path)

    @pytest.fixture
    def missing(self):
        return FileSource.from_url("http://me:secret-word@127.0.0.1:1/stones.csv")


class TestCsvSource(CsvFixture, StoneSourceContract):
    pass


class TestLargeCsvSource(CsvFixture, LargeStoneSourceContract):
    pass


class ExcelFixture(CsvFixture):
    @pytest.fixture
    def source(self, table, tmp_path):
        columns = columns_of(table)
        path = tmp_path / "stones.xlsx"
        write_workbook(path, {"Stones": [[*columns], *zip(*columns.values(), strict=True)]})
        return ExcelSource(str(path), lambda: path.open("rb"))

    @pytest.fixture
    def missing(self, tmp_path):
        return ExcelSource("gone.xlsx", lambda: (tmp_path / "gone.xlsx").open("rb"))


class TestExcelSource(ExcelFixture, StoneSourceContract):
    pass


class TestLargeExcelSource(ExcelFixture, LargeStoneSourceContract):
    pass


class ParquetFixture(CsvFixture):
    @pytest.fixture
    def source(self, table, tmp_path):
        path = tmp_path / "stones.parquet"
        write_parquet(path, columns_of(table))
        return ParquetSource(str(path), lambda: path.open("rb"))

    @pytest.fixture
    def missing(self, tmp_path):
        return ParquetSource("gone.parquet", lambda: (tmp_path / "gone.parquet").open("rb"))


class TestParquetSource(ParquetFixture, StoneSourceContract):
    pass


class TestLargeParquetSource(ParquetFixture, LargeStoneSourceContract):
    pass


class SqlFixture:
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'stones.db'}"

    @pytest.fixture
    def source(self, table, url):
        columns = columns_of(table)
        database = open_database(url)
        with database.connection_context():
            kinds = (f"`{name}` {'DOUBLE' if name not in GRADES else 'TEXT'}" for name in columns)
            database.execute_sql(f"CREATE TABLE bought ({', '.join(kinds)})")
            marks = ", ".join([database.param] * len(columns))
            with database.atomic():
                database.cursor().executemany(
                    f"INSERT INTO bought VALUES ({marks})",
                    list(zip(*columns.values(), strict=True)),
                )
        return SqlSource(f"{url}?table=bought")

    @pytest.fixture
    def missing(self, tmp_path):
        return SqlSource(f"sqlite:///{tmp_path / 'gone' / 'stones.db'}?table=bought")


class TestSqlSourceOnSQLite(SqlFixture, StoneSourceContract):
    pass


class TestLargeSqlSourceOnSQLite(SqlFixture, LargeStoneSourceContract):
    pass


class MySQLFixture(SqlFixture):
    @pytest.fixture
    def url(self, mysql_url):
        return mysql_url

    @pytest.fixture
    def missing(self):
        return SqlSource("mysql://me:secret-word@127.0.0.1:1/shop?table=bought")


class TestSqlSourceOnMySQL(MySQLFixture, StoneSourceContract):
    pass


class TestLargeSqlSourceOnMySQL(MySQLFixture, LargeStoneSourceContract):
    pass


class TestDeltaStoneStore(StoneStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return DeltaStoneStore.from_url((tmp_path / "a 'folder' ü").as_uri())

    @pytest.fixture
    def reopened(self, tmp_path):
        return DeltaStoneStore(str(tmp_path / "a 'folder' ü"))

    @pytest.fixture
    def break_down(self, tmp_path):
        def break_down():
            for commit in tmp_path.rglob("_delta_log/*.json"):
                commit.write_text("garbage")

        return break_down

    def test_joins_small_files_and_keeps_every_version(self, store, tmp_path, monkeypatch):
        monkeypatch.setattr(delta_stone_store, "_MANY_FILES", 3)
        stones = records(6, "abcdef")
        for at in range(6):
            one = delivery(f"d{at}", hours=at)
            store.receive([rows(stones[[at]])], lambda one=one: one)
            store.put(one, [stones[[at]]], after=store.version(), total=at + 1, corrects=False)
        for table in ("stones", "deliveries"):
            assert DeltaTable(str(tmp_path / "a 'folder' ü" / table)).count() in (6, 18)
            assert len(DeltaTable(str(tmp_path / "a 'folder' ü" / table)).file_uris()) <= 4
        assert [each.id for each in store.deliveries()] == [f"d{at}" for at in range(5, -1, -1)]
        assert sum(len(each.lines) for each in store.delivered("d2")) == 2
        versions = store.versions()
        assert [each.stones for each in versions] == [6, 5, 4, 3, 2, 1]
        assert [len(as_rows(store.stones(each.number))) for each in versions] == [6, 5, 4, 3, 2, 1]


class TestDeltaStoneStoreInS3(StoneStoreContract):
    @pytest.fixture
    def url(self, bucket, tmp_path):
        return f"s3://{bucket}/{tmp_path.name}"

    @pytest.fixture
    def store(self, url):
        return DeltaStoneStore.from_url(url)

    @pytest.fixture
    def reopened(self, url):
        return DeltaStoneStore.from_url(url)

    @pytest.fixture
    def break_down(self, url):
        def break_down():
            store = open_store(url)
            for chunk in obstore.list(store):
                for each in chunk:
                    if each["path"].endswith(".json"):
                        obstore.put(store, each["path"], b"garbage")

        return break_down


class TestPipelineRunFiles(PipelineRunsContract):
    @pytest.fixture
    def runs(self, tmp_path):
        return PipelineRunFiles(tmp_path / "pipeline")

    @pytest.fixture
    def reopened(self, tmp_path):
        return PipelineRunFiles(tmp_path / "pipeline")

    @pytest.fixture
    def break_down(self, tmp_path):
        return lambda: (tmp_path / "pipeline").write_text("a file where a folder should be")

    def test_skips_what_it_cannot_read(self, runs, tmp_path):
        run = a_run()
        runs.save(run)
        (tmp_path / "pipeline" / "20990101-000000-abcdef.json").write_text("{}")
        assert list(runs.runs()) == [run]


class TestMonitoringFile(MonitoringStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MonitoringFile(tmp_path / "home")

    @pytest.fixture
    def reopened(self, tmp_path):
        return MonitoringFile(tmp_path / "home")

    @pytest.fixture
    def break_down(self, tmp_path):
        return lambda: (tmp_path / "home").write_text("a file where a folder should be")

    @pytest.mark.parametrize("text", ["", "[]", '{"at": 1}'])
    def test_skips_what_it_cannot_read(self, store, tmp_path, text):
        store.save(a_monitoring())
        store.save_counted(counted_stones())
        for file in (tmp_path / "home").iterdir():
            file.write_text(text)
        assert store.load() is None
        assert store.load_counted() is None

    def test_is_private(self, store, tmp_path):
        store.save(a_monitoring())
        store.save_counted(counted_stones())
        modes = [file.stat().st_mode & 0o077 for file in (tmp_path / "home").iterdir()]
        assert modes == [0, 0]
