"""Stones and delivered rows as Arrow columns, and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from arro3.core import Array, DataType, Field, RecordBatch, Schema

from diamond_core import FIELDS, GRADES, PRICE, DeliveredRows, Delivery, DiamondTable, StoneRecords

_TEXT, _NUMBER, _DAY = DataType.string(), DataType.float64(), DataType.date32()
_STONE: Final = (
    *(Field(name, _TEXT if name in GRADES else _NUMBER) for name in (*FIELDS, PRICE.name)),
    Field("id", _TEXT),
    Field("date", _DAY),
)

STONES: Final = Schema([*_STONE, Field("delivery", _TEXT)])
"""The columns of the table of stones."""

DELIVERIES: Final = Schema(
    [
        *(Field(name, _TEXT) for name in ("kind", "delivery", "state")),
        Field("line", DataType.int64()),
        *(Field(name, _TEXT) for name in ("cells", "reasons")),
        *_STONE,
    ]
)
"""The columns of the table of deliveries; a row that is not a usable stone has no fields."""

ROW: Final = "row"
DELIVERY: Final = "delivery"


def stones_batch(records: StoneRecords, delivery: str) -> RecordBatch:
    """Return stones as rows of ``STONES``."""
    arrays = [*_stone_arrays(records), _texts([delivery] * len(records))]
    return RecordBatch.from_arrays(arrays, schema=STONES)


def stones_of(batch: RecordBatch) -> StoneRecords:
    """Return rows of ``STONES`` as stones."""
    return StoneRecords(
        _table(batch), _objects(batch, "id"), _dates(batch), _objects(batch, "delivery")
    )


def rows_batch(rows: DeliveredRows) -> RecordBatch:
    """Return delivered rows as rows of ``DELIVERIES``, without their delivery."""
    size = len(rows.lines)
    nothing = _texts([None] * size)
    arrays = [
        *(_texts([ROW] * size), nothing, nothing),
        Array.from_numpy(rows.lines),
        *(_texts(rows.cells), _texts([each or None for each in rows.reasons])),
        *_stone_arrays(rows.records.spread(rows.usable)),
    ]
    return RecordBatch.from_arrays(arrays, schema=DELIVERIES)


def rows_of(batch: RecordBatch) -> DeliveredRows:
    """Return rows of ``DELIVERIES`` as they were delivered."""
    reasons = [each or "" for each in batch.column("reasons").to_pylist()]
    usable = np.array([not each for each in reasons], dtype=bool)
    fields = StoneRecords(_table(batch), _objects(batch, "id"), _dates(batch))
    cells = [str(each) for each in batch.column("cells").to_pylist()]
    return DeliveredRows(batch.column("line").to_numpy(), cells, reasons, fields[usable])


def of_delivery(batch: RecordBatch, delivery: Delivery) -> RecordBatch:
    """Return rows of ``DELIVERIES`` with their delivery."""
    size = batch.num_rows
    batch = batch.set_column(1, DELIVERIES.field(1), _texts([delivery.id] * size))
    return batch.set_column(2, DELIVERIES.field(2), _texts([delivery.status] * size))


def summary_batch(delivery: Delivery) -> RecordBatch:
    """Return a delivery as a row of ``DELIVERIES``."""
    texts = (DELIVERY, delivery.id, delivery.status)
    arrays = [
        *(_texts([each]) for each in texts),
        Array([0], DataType.int64()),
        *(_texts([delivery.to_json()]), _texts([None])),
        *_stone_arrays(StoneRecords.concatenate([]).spread(np.array([False]))),
    ]
    return RecordBatch.from_arrays(arrays, schema=DELIVERIES)


def _stone_arrays(records: StoneRecords) -> list[Array]:
    """Return the fields, the price, the id and the date; unknown values are null."""
    table = records.table
    arrays = []
    for name in (*FIELDS, PRICE.name):
        if name in GRADES:
            names = GRADES[name].names
            arrays.append(_texts([names.get(number) for number in table.column(name).tolist()]))
        elif table.known(name).all():
            arrays.append(Array.from_numpy(np.ascontiguousarray(table.column(name))))
        else:
            arrays.append(Array(table.values(name), _NUMBER))
    days = records.dates.astype("M8[D]")
    if np.isnat(days).any():
        numbers = days.astype(np.int64).tolist()
        unknown = np.isnat(days).tolist()
        known = [None if no else day for day, no in zip(numbers, unknown, strict=True)]
        dates = Array(known, DataType.int32()).cast(_DAY)
    else:
        dates = Array.from_numpy(days.astype(np.int32)).cast(_DAY)
    return [*arrays, _texts([each or None for each in records.ids]), dates]


def _table(batch: RecordBatch) -> DiamondTable:
    columns: dict[str, Any] = {}
    for name in (*FIELDS, PRICE.name):
        column = batch.column(name)
        is_plain = name in GRADES or column.null_count
        columns[name] = column.to_pylist() if is_plain else column.to_numpy()
    return DiamondTable.of_stored(columns)


def _dates(batch: RecordBatch) -> Any:
    column = batch.column("date")
    if column.null_count:
        return np.array(column.to_pylist(), dtype="M8[D]")
    return column.cast(DataType.int32()).to_numpy().astype("M8[D]")


def _objects(batch: RecordBatch, name: str) -> Any:
    texts = np.empty(batch.num_rows, dtype=object)
    texts[:] = [each or "" for each in batch.column(name).to_pylist()]
    return texts


def _texts(values: Any) -> Array:
    return Array(list(values), _TEXT)
