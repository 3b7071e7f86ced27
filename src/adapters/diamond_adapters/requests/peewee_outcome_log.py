"""The outcomes of predictions in a database, beside the request log, through Peewee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
import peewee

from diamond_adapters.requests.peewee_log import PeeweeLog
from diamond_adapters.requests.rows import from_time, to_time
from diamond_core import FIELDS, Conflict, Diamond, Outcome, escaped, first_id

_COLUMNS: Final = (
    *("id", "number", "price_paid", "paid_on", "note", "reported_at", "key_name"),
    *("diamond", "model_id", "predicted", "low", "high"),
)
_OUTCOMES: Final = peewee.Table("outcomes", _COLUMNS)
_AT_ONCE: Final = 500

_Row = tuple[Any, ...]


class PeeweeOutcomeLog(PeeweeLog):
    """An ``OutcomeLog`` in a database, beside the request log."""

    durable = True  # there are few outcomes

    def add(self, outcomes: Sequence[Outcome]) -> None:
        rows = [_to_row(each) for each in outcomes]

        def insert() -> bool:
            try:
                with self._database.atomic():
                    self._session.insert("outcomes", _COLUMNS, rows, skip=False)
            except peewee.IntegrityError:
                return False
            finally:
                if not self._mysql:  # closing it later would write to the file
                    self._database.close()
            return True

        if rows and not self._session.run(insert):
            raise Conflict("someone else has reported an outcome of this prediction meanwhile")

    def of(self, ids: Sequence[str]) -> Sequence[Outcome]:
        found: list[Outcome] = []
        for start in range(0, len(ids), _AT_ONCE):
            found += self._find(_OUTCOMES.id.in_(ids[start : start + _AT_ONCE]))
        return sorted(found, key=lambda each: (each.id, each.number))

    def read(self, since: datetime | None = None) -> Iterator[Outcome]:
        last = (first_id(since) if since else "", 0)
        while page := self._find(
            (_OUTCOMES.id > last[0]) | ((_OUTCOMES.id == last[0]) & (_OUTCOMES.number > last[1])),
            limit=_AT_ONCE,
        ):
            yield from page
            last = page[-1].id, page[-1].number

    def newest(self, limit: int) -> Sequence[Outcome]:
        order = (_OUTCOMES.reported_at.desc(), _OUTCOMES.id.desc(), _OUTCOMES.number.desc())
        return self._find(limit=limit, order=order)

    def _find(
        self, condition: Any = None, *, limit: int | None = None, order: Sequence[Any] = ()
    ) -> list[Outcome]:
        query = _OUTCOMES.select(*_columns())
        if condition is not None:
            query = query.where(condition)
        query = query.order_by(*(order or (_OUTCOMES.id, _OUTCOMES.number))).limit(limit).tuples()

        def read() -> list[Outcome]:
            return [_from_row(row) for row in query.execute(self._reader)]

        return self._read(read, [])


def _columns() -> list[Any]:
    return [getattr(_OUTCOMES, name) for name in _COLUMNS]


def _to_row(outcome: Outcome) -> _Row:
    diamond = {
        name: getattr(outcome.diamond, name)
        for name in FIELDS
        if getattr(outcome.diamond, name) is not None
    }
    return (
        outcome.id,
        outcome.number,
        outcome.price_paid,
        outcome.paid_on.isoformat(),
        escaped(outcome.note),
        to_time(outcome.reported_at),
        escaped(outcome.key_name),
        msgspec.json.encode(diamond).decode(),
        outcome.model_id,
        outcome.predicted,
        outcome.low,
        outcome.high,
    )


def _from_row(row: _Row) -> Outcome:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["paid_on"] = date.fromisoformat(values["paid_on"])
    values["reported_at"] = from_time(values["reported_at"]).astimezone(UTC)
    values["diamond"] = Diamond.parse(msgspec.json.decode(values["diamond"]))
    return Outcome(**values)
