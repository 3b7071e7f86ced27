"""Adapters in memory, for tests and notebooks; they pass the same contracts as the others."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

import numpy as np

from diamond_core import (
    BATCH_ROWS,
    Conflict,
    CountedStones,
    DeliveredRows,
    Delivery,
    DeliveryNotFound,
    DiamondTable,
    Exchange,
    ExchangeFilter,
    ModelExists,
    ModelFileNotFound,
    ModelId,
    Monitoring,
    Outcome,
    PipelineRun,
    RawStones,
    RequestLogHealth,
    ShadowPrice,
    StoneRecords,
    StoneVersion,
    StoneVersionNotFound,
    Unavailable,
    first_id,
)
from diamond_core.stones.cleaning import COLUMNS


class _Fails:
    """An adapter that can be made to fail: set ``failure``, and every call raises it."""

    failure: Unavailable | None = None

    def _reach(self) -> None:
        if self.failure is not None:
            raise self.failure


class InMemoryModelRepository(_Fails):
    """A ``ModelRepository`` in the memory of this process."""

    def __init__(self) -> None:
        self._models: dict[ModelId, dict[str, bytes]] = {}
        self._shared: dict[str, bytes] = {}
        self._promotions: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def add(self, id: ModelId, files: Mapping[str, bytes]) -> None:
        self._reach()
        with self._lock:
            if id in self._models:
                raise ModelExists(id)
            self._models[id] = dict(files)

    def ids(self) -> Sequence[ModelId]:
        self._reach()
        with self._lock:
            return list(self._models)

    def read(self, id: ModelId, name: str) -> memoryview:
        self._reach()
        try:
            return memoryview(self._models[id][name])
        except KeyError:
            raise ModelFileNotFound(id, name) from None

    def size(self, id: ModelId) -> int:
        self._reach()
        return sum(map(len, self._models.get(id, {}).values()))

    def remove(self, id: ModelId) -> None:
        self._reach()
        self._models.pop(id, None)

    def share(self, digest: str, data: bytes) -> None:
        self._reach()
        self._shared[digest] = data

    def read_shared(self, digest: str) -> memoryview | None:
        self._reach()
        data = self._shared.get(digest)
        return None if data is None else memoryview(data)

    def shared(self) -> Mapping[str, int]:
        self._reach()
        return {digest: len(data) for digest, data in self._shared.copy().items()}

    def remove_shared(self, digest: str) -> None:
        self._reach()
        self._shared.pop(digest, None)

    def location(self, id: ModelId, name: str) -> str:
        return f"memory: {id}/{name}"

    def promote(self, number: int, record: bytes) -> None:
        self._reach()
        with self._lock:
            if number in self._promotions:
                raise Conflict(f"promotion {number} already exists")
            self._promotions[number] = record

    def promotions(self, after: int = 0) -> Sequence[tuple[int, bytes]]:
        self._reach()
        with self._lock:
            return sorted(each for each in self._promotions.items() if each[0] > after)

    def damage(self, id: ModelId, name: str) -> None:
        """Overwrite a file, as a failing disk can."""
        self._models[id][name] = b"damaged"

    def damage_shared(self, digest: str) -> None:
        """Overwrite a shared file, as a failing disk can."""
        self._shared[digest] = b"damaged"


class InMemoryExclusiveWork(_Fails):
    """``ExclusiveWork`` among the threads of this process."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def hold(self, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
        self._reach()
        lock = self._locks[name]
        if not lock.acquire(blocking=False):
            waiting("waiting for another thread of this process")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


class InMemoryRequestLog(_Fails):
    """A ``RequestLog`` of the last *maximum* exchanges, in the memory of this process."""

    def __init__(self, maximum: int | None = None) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=maximum)
        self._ids: set[str] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass

    def append(self, exchange: Exchange) -> None:
        self.append_all([exchange])

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        self._reach()
        with self._lock:
            for exchange in exchanges:
                if exchange.id not in self._ids:
                    if len(self._exchanges) == self._exchanges.maxlen:
                        self._ids.discard(self._exchanges[0].id)
                    self._exchanges.append(exchange)
                    self._ids.add(exchange.id)

    def find(
        self,
        filter: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        self._reach()
        with self._lock:
            kept = sorted(self._exchanges, key=lambda exchange: exchange.id, reverse=True)
        found = [
            exchange
            for exchange in kept
            if (before is None or exchange.id < before) and filter.matches(exchange)
        ][:limit]
        if bodies:
            return found
        return [replace(exchange, request_body=b"", response_body=b"") for exchange in found]

    def count(self, filter: ExchangeFilter) -> int:
        return len(self.find(filter, limit=len(self._exchanges)))

    def prune(self, before: datetime, *, limit: int) -> int:
        self._reach()
        with self._lock:
            old = [each for each in self._exchanges if each.occurred_at < before]
            old = sorted(old, key=lambda exchange: exchange.occurred_at)[:limit]
            for exchange in old:
                self._exchanges.remove(exchange)
                self._ids.discard(exchange.id)
        return len(old)

    def health(self) -> RequestLogHealth:
        return RequestLogHealth(problem="" if self.failure is None else str(self.failure))


class InMemoryStoneSource:
    """A ``StoneSource`` of a table in memory."""

    def __init__(self, stones: DiamondTable, name: str = "memory") -> None:
        self._stones = stones
        self.name = name

    def read(self) -> Iterator[RawStones]:
        for start in range(0, len(self._stones), BATCH_ROWS):
            some = self._stones[start : start + BATCH_ROWS]
            columns = {name: some.values(name) for name in COLUMNS}
            yield RawStones(self.name, columns, range(start + 1, start + 1 + len(some)))


class InMemoryStoneStore(_Fails):
    """A ``StoneStore`` in the memory of this process."""

    def __init__(self) -> None:
        self._deliveries: dict[str, Delivery] = {}
        self._rows: dict[str, list[DeliveredRows]] = {}
        self._versions: list[tuple[StoneVersion, StoneRecords]] = []
        self._lock = threading.Lock()

    def receive(
        self, rows: Iterable[DeliveredRows], conclude: Callable[[], Delivery | None]
    ) -> Delivery | None:
        self._reach()
        received = list(rows)
        delivery = conclude()
        if delivery is not None:
            self._rows[delivery.id] = received
            self._deliveries[delivery.id] = delivery
        return delivery

    def update(self, delivery: Delivery) -> None:
        self._find(delivery.id)
        self._deliveries[delivery.id] = delivery

    def deliveries(self) -> Sequence[Delivery]:
        self._reach()
        key = attrgetter("at", "id")
        return sorted(self._deliveries.values(), key=key, reverse=True)

    def delivered(self, id: str) -> Iterator[DeliveredRows]:
        self._find(id)
        yield from self._rows[id]

    def put(
        self,
        delivery: Delivery,
        stones: Iterable[StoneRecords],
        *,
        after: StoneVersion | None,
        total: int,
        corrects: bool,
    ) -> None:
        with self._lock:
            if any(version.delivery == delivery.id for version in self.versions()):
                return
            if self.version() != after:
                raise Conflict("the stones have changed meanwhile")
            self._put(delivery, stones, total, corrects)

    def _put(
        self, delivery: Delivery, stones: Iterable[StoneRecords], total: int, corrects: bool
    ) -> None:
        added = StoneRecords.concatenate(list(stones))
        added = replace(added, deliveries=np.full(len(added), delivery.id, dtype=object))
        stored = StoneRecords.concatenate(list(self.stones()))
        if corrects:
            ids = {id for id in added.ids if id}
            stored = stored[np.array([id not in ids for id in stored.ids], dtype=bool)]
        version = StoneVersion(
            number=len(self._versions) + 1, at=delivery.at, delivery=delivery.id, stones=total
        )
        self._versions.append((version, StoneRecords.concatenate([stored, added])))

    def version(self) -> StoneVersion | None:
        return next(iter(self.versions()), None)

    def versions(self) -> Sequence[StoneVersion]:
        self._reach()
        return [version for version, _ in reversed(self._versions)]

    def stones(self, version: int | None = None) -> Iterator[StoneRecords]:
        self._reach()
        found = {each.number: records for each, records in self._versions}
        number = len(self._versions) if version is None else version
        if version is not None and version not in found:
            raise StoneVersionNotFound(version)
        if number:
            yield found[number]

    def _find(self, id: str) -> None:
        self._reach()
        if id not in self._deliveries:
            raise DeliveryNotFound(id)


class InMemoryOutcomeLog(_Fails):
    """An ``OutcomeLog`` in the memory of this process."""

    def __init__(self) -> None:
        self._outcomes: dict[tuple[str, int], Outcome] = {}
        self._lock = threading.Lock()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        self._reach()
        with self._lock:
            new = {(each.id, each.number): each for each in outcomes}
            if len(new) < len(outcomes) or new.keys() & self._outcomes.keys():
                raise Conflict("an outcome with this number is stored already")
            self._outcomes |= new

    def of(self, ids: Sequence[str]) -> Sequence[Outcome]:
        return [each for each in self.read() if each.id in ids]

    def read(self, since: datetime | None = None) -> Iterator[Outcome]:
        self._reach()
        first = first_id(since) if since else ""
        return iter([self._outcomes[key] for key in sorted(self._outcomes) if key[0] >= first])

    def newest(self, limit: int) -> Sequence[Outcome]:
        by_time = attrgetter("reported_at", "id", "number")
        return sorted(self.read(), key=by_time, reverse=True)[:limit]

    def close(self) -> None:
        """Do nothing: the outcomes are in memory."""


class InMemoryShadowLog(_Fails):
    """A ``ShadowLog`` in the memory of this process."""

    def __init__(self) -> None:
        self._prices: dict[tuple[str, str], ShadowPrice] = {}

    def add(self, prices: Sequence[ShadowPrice]) -> None:
        self._reach()
        for each in prices:
            self._prices.setdefault((each.id, each.shadow_model_id), each)

    def of(self, ids: Sequence[str]) -> Sequence[ShadowPrice]:
        return [each for each in self.read() if each.id in ids]

    def read(self) -> Iterator[ShadowPrice]:
        self._reach()
        return iter([self._prices[key] for key in sorted(self._prices)])

    def prune(self, before: datetime) -> int:
        self._reach()
        old = [key for key, each in self._prices.items() if each.priced_at < before]
        for key in old:
            del self._prices[key]
        return len(old)

    def close(self) -> None:
        """Do nothing: the prices are in memory."""


class InMemoryPipelineRuns(_Fails):
    """``PipelineRuns`` in the memory of this process."""

    def __init__(self) -> None:
        self._runs: dict[str, PipelineRun] = {}

    def save(self, run: PipelineRun) -> None:
        self._reach()
        self._runs[run.id] = run

    def runs(self, limit: int | None = None) -> Sequence[PipelineRun]:
        self._reach()
        return sorted(self._runs.values(), key=attrgetter("id"), reverse=True)[:limit]


class InMemoryMonitoringStore(_Fails):
    """A ``MonitoringStore`` in the memory of this process."""

    def __init__(self) -> None:
        self._kept: Monitoring | None = None
        self._counted = b""

    def save(self, monitoring: Monitoring) -> None:
        self._reach()
        self._kept = monitoring

    def load(self) -> Monitoring | None:
        self._reach()
        return self._kept

    def save_counted(self, counted: CountedStones) -> None:
        self._reach()
        self._counted = counted.to_bytes()

    def load_counted(self) -> CountedStones | None:
        self._reach()
        return CountedStones.from_bytes(self._counted) if self._counted else None
