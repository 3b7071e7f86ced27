"""A contract is only as good as what it refuses: adapters weakened on purpose, each caught by name.

What the core knows once (the digest check, how a card is read, the choice between ONNX and pickle) an
adapter can't leave out any more; the weakenings 4, 5 and 9 are how it could still defeat the core.
"""

from __future__ import annotations

import os
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from documents import make_files

ADAPTERS = '''
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import test_sqlite_models
from sqlite_models import SqliteModelRepository, TABLES

from diamond_adapters.in_memory import (
    InMemoryMonitoringStore, InMemoryOutcomeLog, InMemoryPipelineRuns, InMemoryRequestLog,
    InMemoryShadowLog,
    InMemoryStoneSource, InMemoryStoneStore,
)
from diamond_core import Conflict, ModelDamaged, ModelId, RawStones, SourceUnreadable, Unavailable
from diamond_core.testing import (
    ExclusiveWorkContract, LargeStoneSourceContract, MonitoringStoreContract,
    OutcomeLogContract, PipelineRunsContract, RequestLogContract, ShadowLogContract,
    StoneStoreContract, some_stones,
)


class Contract(test_sqlite_models.TestSqliteModelRepository):
    weakened = SqliteModelRepository

    @pytest.fixture
    def repository(self, path):
        return self.weakened(path)

    @pytest.fixture
    def reopen(self, path):
        return lambda: self.weakened(path)


class TestAsItShouldBe(Contract):
    pass


_LOCKS = {}


class TestLockOfThreadsOnly(ExclusiveWorkContract):
    class Locks:
        def __init__(self, store):
            self._store = store

        @contextmanager
        def hold(self, name, waiting):
            if self._store.get("fails"):
                raise Unavailable("it fails")
            lock = _LOCKS.setdefault(name, threading.Lock())
            if not lock.acquire(blocking=False):
                waiting("waiting for another thread")
                lock.acquire()
            try:
                yield
            finally:
                lock.release()

    @pytest.fixture
    def store(self):
        return {}

    @pytest.fixture
    def work(self, store):
        return self.Locks(store)

    @pytest.fixture
    def reopen(self, store):
        return lambda: self.Locks(store)

    @pytest.fixture
    def elsewhere(self):
        return "from test_weakened import TestLockOfThreadsOnly as t; work = t.Locks({})"

    @pytest.fixture
    def break_down(self, store):
        return lambda: store.update(fails=True)


class TestChampionCachedForGood(Contract):
    class weakened(SqliteModelRepository):
        def __init__(self, path):
            super().__init__(path)
            self._known = None

        def promotions(self, after=0):
            if self._known is None:
                self._known = super().promotions()
            return [each for each in self._known if each[0] > after]


class TestRawErrors(Contract):
    class weakened(SqliteModelRepository):
        @contextmanager
        def _transaction(self):
            with sqlite3.connect(self._path, timeout=10) as database:
                database.executescript(TABLES)
                yield database
            database.close()


class TestStrictAboutCards(Contract):
    class weakened(SqliteModelRepository):
        def ids(self):
            found = super().ids()
            for id in found:
                if not bytes(self.read(id, "card.json")).startswith(b"{"):
                    raise ModelDamaged(id, "it has no card")
            return found


class TestDigestCheckUndone(Contract):
    class weakened(SqliteModelRepository):
        """Keeps what it read, so that a damaged file is never seen."""

        def __init__(self, path):
            super().__init__(path)
            self._kept = {}

        def add(self, id, files):
            super().add(id, files)
            self._kept.update({(id, name): memoryview(data) for name, data in files.items()})

        def read(self, id, name):
            kept = self._kept.get((id, name))
            return super().read(id, name) if kept is None else kept


class TestFilesDropped(Contract):
    class weakened(SqliteModelRepository):
        KNOWN = ("card.json", "model.onnx", "estimator.joblib", "empty.txt")

        def add(self, id, files):
            super().add(id, {name: files[name] for name in files if name in self.KNOWN})


class TestIdsAsPlainTexts(Contract):
    class weakened(SqliteModelRepository):
        def ids(self):
            return [str(id) for id in super().ids()]


class TestOneConnection(Contract):
    class weakened(SqliteModelRepository):
        def __init__(self, path):
            super().__init__(path)
            self._connection = sqlite3.connect(path)
            self._connection.executescript(TABLES)

        @contextmanager
        def _transaction(self):
            try:
                with self._connection as database:
                    yield database
            except sqlite3.OperationalError as ex:
                raise Unavailable(str(ex)) from ex


class TestOnnxOnly(Contract):
    class weakened(SqliteModelRepository):
        def add(self, id, files):
            if "model.onnx" in files:
                super().add(id, files)


class TestLastPromotionWins(Contract):
    class weakened(SqliteModelRepository):
        def promote(self, number, record):
            with self._transaction() as database:
                database.execute("INSERT OR REPLACE INTO promotions VALUES (?, ?)", (number, record))


class TestRemovalOfTheIdOnly(Contract):
    class weakened(SqliteModelRepository):
        def remove(self, id):
            with self._transaction() as database:
                database.execute("DELETE FROM models WHERE id = ?", (id,))


class TestRemovalFileByFile(Contract):
    class weakened(SqliteModelRepository):
        def remove(self, id):
            with self._transaction() as database:
                names = database.execute("SELECT name FROM files WHERE id = ?", (id,)).fetchall()
            for (name,) in names:
                time.sleep(0.1)
                with self._transaction() as database:
                    database.execute("DELETE FROM files WHERE id = ? AND name = ?", (id, name))
            super().remove(id)


class TestRemovalThatMustFindTheModel(Contract):
    class weakened(SqliteModelRepository):
        def remove(self, id):
            self.read(id, "card.json")
            super().remove(id)


class TestRemovalWithTheSharedFiles(Contract):
    class weakened(SqliteModelRepository):
        def remove(self, id):
            super().remove(id)
            for digest in self.shared():
                self.remove_shared(digest)


class TestBuffersReusedAfterRemoval(Contract):
    class weakened(SqliteModelRepository):
        def __init__(self, path):
            super().__init__(path)
            self._buffers = {}

        def read(self, id, name):
            buffer = self._buffers[id] = bytearray(super().read(id, name))
            return memoryview(buffer).toreadonly()

        def remove(self, id):
            super().remove(id)
            self._buffers.get(id, bytearray())[:1] = b"?"


class TestSizeOfTheCardOnly(Contract):
    class weakened(SqliteModelRepository):
        def size(self, id):
            return len(self.read(id, "card.json")) if id in self.ids() else 0


class TestFirstSharedFileStays(Contract):
    class weakened(SqliteModelRepository):
        def share(self, digest, data):
            if self.read_shared(digest) is None:
                super().share(digest, data)


class TestSharedFileInTwoSteps(Contract):
    class weakened(SqliteModelRepository):
        def share(self, digest, data):
            super().share(digest, data[:9])
            time.sleep(0.2)
            super().share(digest, data)


class TestSharedFilesInMemory(Contract):
    class weakened(SqliteModelRepository):
        def __init__(self, path):
            super().__init__(path)
            self._kept = {}

        def share(self, digest, data):
            super().share(digest, data)
            self._kept[digest] = memoryview(data)

        def read_shared(self, digest):
            return self._kept.get(digest) or super().read_shared(digest)


class TestSharedFilesThatAreNeverRemoved(Contract):
    class weakened(SqliteModelRepository):
        def remove_shared(self, digest):
            self.shared()


class InMemoryLog:
    @pytest.fixture
    def log(self):
        return self.weakened()

    @pytest.fixture
    def reopen(self, log):
        return lambda: log

    @pytest.fixture
    def elsewhere(self):
        return None

    @pytest.fixture
    def break_down(self, log):
        return lambda: setattr(log, "failure", Unavailable("it fails"))


class LogContract(InMemoryLog, RequestLogContract):
    weakened = InMemoryRequestLog


class TestLogAsItShouldBe(LogContract):
    pass


class TestBodiesAsText(LogContract):
    class weakened(InMemoryRequestLog):
        def find(self, filter, **options):
            from dataclasses import replace
            found = super().find(filter, **options)
            return [replace(e, request_body=e.request_body.decode("utf-8", "replace").encode()) for e in found]


class TestRequestIdAsTheKey(LogContract):
    class weakened(InMemoryRequestLog):
        def append_all(self, exchanges):
            known = {each.request_id for each in self._exchanges}
            super().append_all([e for e in exchanges if e.request_id not in known])


class TestLogWithRawErrors(LogContract):
    class weakened(InMemoryRequestLog):
        def _reach(self):
            if self.failure is not None:
                raise OSError("it fails")


class TestLogThatFailsRawWhenItAppends(LogContract):
    class weakened(InMemoryRequestLog):
        def append_all(self, exchanges):
            if self.failure is not None:
                raise OSError("it fails")
            super().append_all(exchanges)


class TestLogOfOneProcess(LogContract):
    @pytest.fixture
    def elsewhere(self):
        return "from test_weakened import InMemoryRequestLog; log = InMemoryRequestLog()"


class SourceContract(LargeStoneSourceContract):
    weakened = InMemoryStoneSource

    @pytest.fixture
    def source(self, table):
        return self.weakened(table)

    @pytest.fixture
    def missing(self):
        return Missing(SourceUnreadable("shop", "it is closed"))


class Missing:
    """A source that can't be read; *failure* says why."""

    name = "shop"

    def __init__(self, failure):
        self.failure = failure

    def read(self):
        raise self.failure
        yield


class TestSourceWithRawErrors(SourceContract):
    @pytest.fixture
    def missing(self):
        return Missing(OSError("it is closed"))


class TestSourceThatIsEmptyWhenItIsGone(SourceContract):
    @pytest.fixture
    def missing(self):
        return InMemoryStoneSource(some_stones(0))


class TestSourceThatTellsItsPassword(SourceContract):
    @pytest.fixture
    def missing(self):
        return Missing(SourceUnreadable("shop://me:secret-word@host", "it is closed"))


class TestSourceAsItShouldBe(SourceContract):
    pass


class TestAllRowsAtOnce(SourceContract):
    class weakened(InMemoryStoneSource):
        def read(self):
            batches = list(super().read())
            columns = {n: [v for b in batches for v in b.columns[n]] for n in batches[0].columns}
            yield RawStones(self.name, columns, [line for b in batches for line in b.lines])


class TestLinesCountedFromEachBatch(SourceContract):
    class weakened(InMemoryStoneSource):
        def read(self):
            for batch in super().read():
                yield RawStones(self.name, batch.columns, range(1, len(batch.lines) + 1))


class StoreContract(StoneStoreContract):
    weakened = InMemoryStoneStore

    @pytest.fixture
    def store(self):
        return self.weakened()

    @pytest.fixture
    def break_down(self, store):
        return lambda: setattr(store, "failure", Unavailable("it fails"))


class TestStoreAsItShouldBe(StoreContract):
    pass


class TestStoreThatConcludesFirst(StoreContract):
    class weakened(InMemoryStoneStore):
        def receive(self, rows, conclude):
            delivery = conclude()
            return super().receive(rows, lambda: delivery)


class TestStoreThatStoresRowByRow(StoreContract):
    class weakened(InMemoryStoneStore):
        def receive(self, rows, conclude):
            from diamond_core.testing.stone_store_contract import delivery
            self._deliveries["a"], self._rows["a"] = delivery("a"), []
            for some in rows:
                self._rows["a"].append(some)
            return super().receive(self._rows["a"], conclude)


class TestStoreThatForgetsWhatItHolds(StoreContract):
    class weakened(InMemoryStoneStore):
        def put(self, delivery, stones, *, after, **options):
            if after != self.version():
                raise Conflict("the stones have changed meanwhile")
            self._put(delivery, stones, **options)


class TestStoreInWhichTheLastOneWins(StoreContract):
    class weakened(InMemoryStoneStore):
        def put(self, delivery, stones, *, after, **options):
            super().put(delivery, stones, after=self.version(), **options)


class TestStoreThatOnlyAppends(StoreContract):
    class weakened(InMemoryStoneStore):
        def put(self, delivery, stones, *, after, total, corrects):
            super().put(delivery, stones, after=after, total=total, corrects=False)


class TestStoreOfTheLastVersion(StoreContract):
    class weakened(InMemoryStoneStore):
        def stones(self, version=None):
            return super().stones()


class TestStoreWithTimesInsteadOfDays(StoreContract):
    class weakened(InMemoryStoneStore):
        def stones(self, version=None):
            for records in super().stones(version):
                yield replace(records, dates=records.dates.astype("M8[s]"))


class TestStoreWithRawErrors(StoreContract):
    class weakened(InMemoryStoneStore):
        def _reach(self):
            if self.failure is not None:
                raise OSError("it fails")


class TestStoreThatUpdatesWhatItNeverReceived(StoreContract):
    class weakened(InMemoryStoneStore):
        def update(self, delivery):
            self._deliveries[delivery.id] = delivery


class OutcomesContract(InMemoryLog, OutcomeLogContract):
    weakened = InMemoryOutcomeLog


class TestOutcomesAsTheyShouldBe(OutcomesContract):
    pass


class TestOutcomesOfTheLastOneOnly(OutcomesContract):
    class weakened(InMemoryOutcomeLog):
        def add(self, outcomes):
            self._reach()
            self._outcomes |= {(each.id, 1): each for each in outcomes}


class TestOutcomesAddedOneByOne(OutcomesContract):
    class weakened(InMemoryOutcomeLog):
        def add(self, outcomes):
            self._reach()
            for each in outcomes:
                super().add([each])


class TestOutcomesInTheOrderTheyCame(OutcomesContract):
    class weakened(InMemoryOutcomeLog):
        def read(self, since=None):
            self._reach()
            return iter(self._outcomes.values())


class TestOutcomesThatForgetTheirNotes(OutcomesContract):
    class weakened(InMemoryOutcomeLog):
        def add(self, outcomes):
            from dataclasses import replace

            super().add([replace(each, note=each.note.encode("ascii", "ignore").decode())
                         for each in outcomes])


class ShadowsContract(InMemoryLog, ShadowLogContract):
    weakened = InMemoryShadowLog


class TestShadowsAsTheyShouldBe(ShadowsContract):
    pass


class TestShadowsOfTheLastPrice(ShadowsContract):
    class weakened(InMemoryShadowLog):
        def add(self, prices):
            self._reach()
            self._prices |= {(each.id, each.shadow_model_id): each for each in prices}


class TestShadowsOfOneShadowOnly(ShadowsContract):
    class weakened(InMemoryShadowLog):
        def add(self, prices):
            self._reach()
            for each in prices:
                self._prices.setdefault((each.id, ""), each)


class TestShadowsThatPruneTooMuch(ShadowsContract):
    class weakened(InMemoryShadowLog):
        def prune(self, before):
            from datetime import timedelta

            return super().prune(before + timedelta(microseconds=1))


class RunsContract(PipelineRunsContract):
    weakened = InMemoryPipelineRuns

    @pytest.fixture
    def runs(self):
        return self.weakened()

    @pytest.fixture
    def break_down(self, runs):
        return lambda: setattr(runs, "failure", Unavailable("it fails"))


class TestRunsAsTheyShouldBe(RunsContract):
    pass


class TestRunsThatStayAsTheyWere(RunsContract):
    class weakened(InMemoryPipelineRuns):
        def save(self, run):
            if run.id not in self._runs:
                super().save(run)


class TestRunsInTheOrderOfTheirEnd(RunsContract):
    class weakened(InMemoryPipelineRuns):
        def runs(self, limit=None):
            return list(reversed(self._runs.values()))[:limit]


class MonitoringContract(MonitoringStoreContract):
    weakened = InMemoryMonitoringStore

    @pytest.fixture
    def store(self):
        return self.weakened()

    @pytest.fixture
    def break_down(self, store):
        return lambda: setattr(store, "failure", Unavailable("it fails"))


class TestMonitoringAsItShouldBe(MonitoringContract):
    pass


class TestMonitoringThatStaysAsItWas(MonitoringContract):
    class weakened(InMemoryMonitoringStore):
        def save(self, monitoring):
            super().save(self._kept or monitoring)


class TestMonitoringWithoutItsDays(MonitoringContract):
    class weakened(InMemoryMonitoringStore):
        def save(self, monitoring):
            super().save(replace(monitoring, days=()))


class TestMonitoringThatIsEmptyWhenItFails(MonitoringContract):
    class weakened(InMemoryMonitoringStore):
        def load(self):
            return None if self.failure else super().load()


class TestMonitoringWithRawErrors(MonitoringContract):
    class weakened(InMemoryMonitoringStore):
        def _reach(self):
            if self.failure is not None:
                raise OSError("it fails")
'''

SOUND = [
    "TestAsItShouldBe",
    "TestLogAsItShouldBe",
    "TestSourceAsItShouldBe",
    "TestStoreAsItShouldBe",
    "TestRunsAsTheyShouldBe",
    "TestOutcomesAsTheyShouldBe",
    "TestShadowsAsTheyShouldBe",
    "TestMonitoringAsItShouldBe",
]
CAUGHT_BY = {
    "TestShadowsOfTheLastPrice": "test_keeps_the_first_price_of_a_shadow",
    "TestShadowsOfOneShadowOnly": "test_keeps_the_first_price_of_a_shadow",
    "TestShadowsThatPruneTooMuch": "test_prunes",
    "TestOutcomesOfTheLastOneOnly": "test_keeps_a_correction_beside_what_it_corrects",
    "TestOutcomesAddedOneByOne": (
        "test_refuses_a_number_that_is_taken_and_adds_none_of_the_others"
    ),
    "TestOutcomesInTheOrderTheyCame": "test_keeps_a_correction_beside_what_it_corrects",
    "TestOutcomesThatForgetTheirNotes": "test_gives_back_an_outcome",
    "TestLockOfThreadsOnly": "test_waits_for_another_process_until_it_is_killed",
    "TestChampionCachedForGood": "test_sees_what_others_promote",
    "TestRawErrors": "test_says_when_its_store_fails",
    "TestStrictAboutCards": "test_shows_a_damaged_model_and_hides_no_other[card.json]",
    "TestDigestCheckUndone": "test_reads_what_the_store_holds_now",
    "TestFilesDropped": "test_keeps_files_of_any_name_that_a_family_chooses",
    "TestIdsAsPlainTexts": "test_lists_the_ids_of_all_models",
    "TestOneConnection": "test_can_be_used_by_several_threads_at_once",
    "TestOnnxOnly": "test_keeps_files_of_any_name_that_a_family_chooses",
    "TestLastPromotionWins": "test_keeps_the_first_promotion_of_a_number",
    "TestRemovalOfTheIdOnly": "test_removes_a_model_with_all_its_files",
    "TestRemovalFileByFile": "test_removes_all_files_of_a_model_at_once",
    "TestRemovalThatMustFindTheModel": "test_removes_what_is_not_there_without_an_error",
    "TestRemovalWithTheSharedFiles": "test_removes_a_model_with_all_its_files",
    "TestBuffersReusedAfterRemoval": "test_leaves_what_was_read_before_its_removal",
    "TestSizeOfTheCardOnly": "test_says_how_large_a_model_is",
    "TestFirstSharedFileStays": "test_replaces_a_damaged_shared_file",
    "TestSharedFileInTwoSteps": "test_shows_readers_a_complete_shared_file_or_none",
    "TestSharedFilesInMemory": "test_replaces_a_damaged_shared_file",
    "TestSharedFilesThatAreNeverRemoved": "test_removes_what_is_not_there_without_an_error",
    "TestBodiesAsText": "test_gives_back_unusual_values_unchanged",
    "TestRequestIdAsTheKey": "test_keeps_exchanges_that_share_a_request_id",
    "TestLogWithRawErrors": "test_says_when_its_store_fails",
    "TestLogThatFailsRawWhenItAppends": "test_says_when_its_store_fails",
    "TestLogOfOneProcess": "test_is_shared_by_processes",
    "TestSourceWithRawErrors": "test_says_that_it_cannot_be_read_and_tells_no_password",
    "TestSourceThatIsEmptyWhenItIsGone": "test_says_that_it_cannot_be_read_and_tells_no_password",
    "TestSourceThatTellsItsPassword": "test_says_that_it_cannot_be_read_and_tells_no_password",
    "TestAllRowsAtOnce": "test_gives_a_line_number_for_each_row",
    "TestLinesCountedFromEachBatch": "test_gives_a_line_number_for_each_row",
    "TestStoreThatConcludesFirst": "test_concludes_after_the_last_row",
    "TestStoreThatStoresRowByRow": "test_stores_nothing_of_a_source_that_fails",
    "TestStoreThatForgetsWhatItHolds": "test_adds_a_delivery_once",
    "TestStoreInWhichTheLastOneWins": (
        "test_puts_stones_only_after_the_version_that_they_were_compared_with"
    ),
    "TestStoreThatOnlyAppends": "test_a_correction_replaces_the_stone_of_its_id",
    "TestStoreOfTheLastVersion": "test_keeps_every_version",
    "TestStoreWithTimesInsteadOfDays": "test_dates_are_days",
    "TestStoreWithRawErrors": "test_says_that_it_is_unavailable",
    "TestStoreThatUpdatesWhatItNeverReceived": "test_knows_no_other_delivery",
    "TestRunsThatStayAsTheyWere": "test_replaces_a_run",
    "TestRunsInTheOrderOfTheirEnd": "test_gives_the_newest_first",
    "TestMonitoringThatStaysAsItWas": "test_keeps_the_last",
    "TestMonitoringWithoutItsDays": "test_gives_back_what_was_saved",
    "TestMonitoringWithRawErrors": "test_says_that_it_can_not_be_stored",
    "TestMonitoringThatIsEmptyWhenItFails": "test_says_that_it_can_not_be_read",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Which tests of which class ran, and which of them failed."""
    folder = tmp_path_factory.mktemp("weakened")
    make_files("how-to/add-an-adapter.md", folder)
    (folder / "test_weakened.py").write_text(ADAPTERS)
    result = folder / "result.xml"
    pytest_options = ["-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={result}"]
    chosen = [*SOUND, *(f"{name}::{test}" for name, test in CAUGHT_BY.items())]
    tests = [f"test_weakened.py::{each}" for each in chosen]  # all tests of a class take longer
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *pytest_options, *tests],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    ran, failed = {}, {}
    for case in ET.parse(result).iter("testcase"):
        name = case.get("classname").rpartition(".")[2]
        ran.setdefault(name, []).append(case.get("name"))
        if any(case.find(kind) is not None for kind in ("failure", "error")):
            failed.setdefault(name, []).append(case.get("name"))
    return ran, failed


@pytest.mark.parametrize("name", SOUND)
def test_passes_an_adapter_that_keeps_its_promises(outcomes, name):
    ran, failed = outcomes
    assert len(ran[name]) >= 5
    assert name not in failed


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_catches_each_weakened_adapter(outcomes, name):
    _, failed = outcomes
    assert any(each.startswith(CAUGHT_BY[name]) for each in failed[name]), failed[name]
