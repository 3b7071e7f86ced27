"""Ports kept in memory, for tests and notebooks; held to the same contracts as the real ones."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from diamond_core.cleaning import RawStones
from diamond_core.diamond import CLARITIES, COLORS, CUTS
from diamond_core.diamond_table import DiamondTable
from diamond_core.errors import Conflict, ModelExists, ModelNotFound
from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.model_card import ModelCard, ModelId, Promotion
from diamond_core.ports import FittedModel, Model
from diamond_core.traffic import Traffic, traffic_of


class InMemoryModelRepository:
    """A ``ModelRepository`` that ends with the process."""

    def __init__(self) -> None:
        self._models: dict[ModelId, tuple[ModelCard, Model, DiamondTable]] = {}
        self._promotions: list[Promotion] = []
        self._lock = threading.Lock()
        self._training = threading.Lock()

    def publish(self, card: ModelCard, fitted: FittedModel, samples: DiamondTable) -> ModelCard:
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in fitted.files.items()}
        card = replace(card, files=digests)
        with self._lock:
            if card.id in self._models:
                raise ModelExists(card.id)
            self._models[card.id] = (card, fitted.model, samples)
        return card

    def cards(self) -> Sequence[ModelCard]:
        with self._lock:
            cards = [card for card, _, _ in self._models.values()]
        return sorted(cards, key=lambda card: (card.created_at, card.id), reverse=True)

    def card(self, id: ModelId) -> ModelCard:
        return self._found(id)[0]

    def open(self, id: ModelId) -> Model:
        return self._found(id)[1]

    def samples(self, id: ModelId) -> DiamondTable:
        return self._found(id)[2]

    def promote(self, promotion: Promotion) -> None:
        self._found(promotion.model_id)
        with self._lock:
            present = self.champion()
            if present != promotion.previous:
                raise Conflict(f"the champion is {present} now, not {promotion.previous}")
            self._promotions.append(promotion)

    def champion(self) -> ModelId | None:
        return self._promotions[-1].model_id if self._promotions else None

    def promotions(self) -> Sequence[Promotion]:
        return tuple(self._promotions)

    @contextmanager
    def training(self, waiting: Callable[[str], None]) -> Iterator[None]:
        if not self._training.acquire(blocking=False):
            waiting("waiting for another training in this process")
            self._training.acquire()
        try:
            yield
        finally:
            self._training.release()

    def _found(self, id: ModelId) -> tuple[ModelCard, Model, DiamondTable]:
        try:
            return self._models[id]
        except KeyError:
            raise ModelNotFound(id) from None


class InMemoryRequestLog:
    """A ``RequestLog`` and ``RequestArchive`` of the last *most* exchanges.

    It ends with the process.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=most)
        self._lock = threading.Lock()

    def append(self, exchange: Exchange) -> None:
        self.append_all([exchange])

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        with self._lock:
            for exchange in exchanges:
                if all(kept.serial != exchange.serial for kept in self._exchanges):
                    self._exchanges.append(exchange)

    def latest(self, n: int) -> Sequence[Exchange]:
        return self.find(ExchangeFilter(), limit=n)

    def find(
        self,
        wanted: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        with self._lock:
            kept = sorted(self._exchanges, key=lambda exchange: exchange.serial, reverse=True)
        found = [
            exchange
            for exchange in kept
            if (before is None or exchange.serial < before) and wanted.matches(exchange)
        ][:limit]
        if bodies:
            return found
        return [replace(exchange, request_body=b"", response_body=b"") for exchange in found]

    def count(self, wanted: ExchangeFilter) -> int:
        return len(self.find(wanted, limit=len(self._exchanges)))

    def traffic(self, wanted: ExchangeFilter) -> Sequence[Traffic]:
        return traffic_of(self.find(wanted, limit=len(self._exchanges)))

    def prune(self, before: datetime, *, most: int) -> int:
        with self._lock:
            old = [each for each in self._exchanges if each.occurred_at < before]
            old = sorted(old, key=lambda exchange: exchange.occurred_at)[:most]
            for exchange in old:
                self._exchanges.remove(exchange)
        return len(old)


class InMemorySource:
    """A ``DiamondSource`` of stones at hand."""

    def __init__(self, stones: DiamondTable, name: str = "memory") -> None:
        self._stones = stones
        self.name = name

    def read(self) -> RawStones:
        columns: dict[str, Sequence[object]] = {
            name: [
                None if value != value else value for value in self._stones.column(name).tolist()
            ]
            for name in ("carat", "depth", "table", "x", "y", "z", "price")
        }
        for name, grades in (("cut", CUTS), ("color", COLORS), ("clarity", CLARITIES)):
            columns[name] = [str(grades[number]) for number in self._stones.column(name)]
        return RawStones(self.name, columns, range(1, len(self._stones) + 1))
