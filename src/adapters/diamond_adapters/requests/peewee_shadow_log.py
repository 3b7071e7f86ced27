"""The prices of shadows in a database, beside the request log, through Peewee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import peewee

from diamond_adapters.requests.peewee_log import PeeweeLog
from diamond_adapters.requests.rows import from_time, to_time
from diamond_core import ShadowPrice

_TABLE: Final = "shadow_prices"
_COLUMNS: Final = ("id", "priced_at", "model_id", "price", "shadow_model_id", "shadow_price")
_PRICES: Final = peewee.Table(_TABLE, _COLUMNS)
_AT_ONCE: Final = 500
_PAGE: Final = 10_000


class PeeweeShadowLog(PeeweeLog):
    """A ``ShadowLog`` in a database, beside the request log."""

    def add(self, prices: Sequence[ShadowPrice]) -> None:
        for start in range(0, len(prices), _AT_ONCE):  # a SQLite file is locked only for a moment
            rows = [_to_row(each) for each in prices[start : start + _AT_ONCE]]
            self._session.run(partial(self._insert, rows))

    def of(self, ids: Sequence[str]) -> Sequence[ShadowPrice]:
        found: list[ShadowPrice] = []
        for start in range(0, len(ids), _AT_ONCE):
            found += self._find(_PRICES.id.in_(ids[start : start + _AT_ONCE]))
        return sorted(found, key=lambda each: (each.id, each.shadow_model_id))

    def read(self) -> Iterator[ShadowPrice]:
        last = ("", "")
        while page := self._find(
            (_PRICES.id > last[0])
            | ((_PRICES.id == last[0]) & (_PRICES.shadow_model_id > last[1])),
            limit=_PAGE,
        ):
            yield from page
            last = page[-1].id, page[-1].shadow_model_id

    def prune(self, before: datetime) -> int:
        old = _PRICES.select(_PRICES.id).where(_PRICES.priced_at < to_time(before))
        old = old.order_by(_PRICES.priced_at).limit(_AT_ONCE).tuples()

        def delete() -> int:
            ids = [id for (id,) in self._database.execute(old).fetchall()]
            if not ids:
                return 0
            return int(_PRICES.delete().where(_PRICES.id.in_(ids)).execute(self._database))

        pruned = 0
        while count := self._session.run(delete):
            pruned += count
        return pruned

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._database.atomic():
            self._session.insert(_TABLE, _COLUMNS, rows)

    def _find(self, condition: Any, limit: int | None = None) -> list[ShadowPrice]:
        query = _PRICES.select(*(getattr(_PRICES, name) for name in _COLUMNS)).where(condition)
        query = query.order_by(_PRICES.id, _PRICES.shadow_model_id).limit(limit).tuples()

        def read() -> list[ShadowPrice]:
            return [_from_row(row) for row in self._reader.execute(query).fetchall()]

        return self._read(read, [])


def _to_row(price: ShadowPrice) -> tuple[Any, ...]:
    return (
        price.id,
        to_time(price.priced_at),
        price.model_id,
        price.price,
        price.shadow_model_id,
        price.shadow_price,
    )


def _from_row(row: tuple[Any, ...]) -> ShadowPrice:
    id, priced_at, model_id, price, shadow_model_id, shadow_price = row
    return ShadowPrice(
        id=id,
        priced_at=from_time(priced_at).astimezone(UTC),
        model_id=model_id,
        price=price,
        shadow_model_id=shadow_model_id,
        shadow_price=shadow_price,
    )
