"""Ids and dates of stones, as sources write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from diamond_core import RawStones
from diamond_core.stones.delivery import DeliveredRows
from diamond_core.stones.stone_records import as_date, clean_records

TODAY = date(2026, 11, 24)
GOOD = {"carat": "0.5", "cut": "Ideal", "color": "E", "clarity": "SI1", "price": "1500"}


def cleaned(*rows):
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return clean_records(RawStones("test", columns, range(2, 2 + len(rows))), today=TODAY)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-04", date(2026, 3, 4)),
        (" 2026-3-4 ", date(2026, 3, 4)),
        ("2026/03/04", date(2026, 3, 4)),
        ("20260304", date(2026, 3, 4)),
        ("2026-03-04T23:59:59+01:00", date(2026, 3, 4)),
        ("2026-03-04 00:00:00", date(2026, 3, 4)),
        ("04.03.2026", date(2026, 3, 4)),
        ("4.3.2026 10:15", date(2026, 3, 4)),
        (date(2026, 3, 4), date(2026, 3, 4)),
        (datetime(2026, 3, 4, 23, 59, tzinfo=UTC), date(2026, 3, 4)),
        ("03/04/2026", None),
        ("4.3.26", None),
        ("2026-02-30", None),
        ("yesterday", None),
        ("٢٠٢٦-٠٣-٠٤", None),
        (45000, None),
        (45000.0, None),
    ],
    ids=str,
)
def test_reads_a_day_or_none(value, expected):
    assert as_date(value) == expected


def test_keeps_ids_and_dates_of_usable_rows_only():
    found = cleaned(
        GOOD | {"id": " a 1 ", "date": "2026-11-01"},
        GOOD | {"id": "b", "carat": "?"},
        GOOD | {"ref": 17.0, "sku": "S", "date": ""},
        GOOD | {"id": None, "sku": "S"},
        GOOD,
    )
    assert found.records.ids.tolist() == ["a 1", "17", "S", ""]
    assert found.lines.tolist() == [2, 4, 5, 6]
    assert found.records.dates[0] == np.datetime64("2026-11-01")
    assert np.isnat(found.records.dates[1:]).all()
    assert [row.line for row in found.rejected] == [3]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"date": "03/04/2026"},
            "date must be a day, such as 2026-11-24, not '03/04/2026'",
        ),
        ({"date": 45000}, "date must be a day, such as 2026-11-24, not 45000"),
        (
            {"date": "2036-11-24"},
            "date must be a day from 1900-01-01 to 2026-11-25, not 2036-11-24",
        ),
        (
            {"date": "0026-11-24"},
            "date must be a day from 1900-01-01 to 2026-11-25, not 0026-11-24",
        ),
        ({"id": "x" * 201}, "id must have at most 200 characters"),
    ],
    ids=str,
)
def test_refuses_what_is_no_date_or_id(changes, reason):
    found = cleaned(GOOD, GOOD | changes, GOOD)
    assert [(row.line, row.reasons) for row in found.rejected] == [(3, (reason,))]
    assert len(found.records) == 2


def test_an_id_comes_back_as_it_was_from_a_csv_of_rejected_rows():
    found = cleaned(GOOD | {"id": "'=A1"}, GOOD | {"id": "'A1"}, GOOD | {"id": "-12"})
    assert found.records.ids.tolist() == ["=A1", "'A1", "-12"]


def test_a_day_ahead_can_be_a_time_zone():
    assert len(cleaned(GOOD | {"date": "2026-11-25"}).records) == 1
    assert len(cleaned(GOOD | {"date": "2026-11-26"}).records) == 0


def test_gives_every_reason_of_a_row():
    (row,) = cleaned(GOOD | {"carat": "?", "date": "never"}).rejected
    assert [reason.split()[0] for reason in row.reasons] == ["carat", "date"]


def test_keeps_the_rows_of_a_source_that_gives_only_columns():
    columns = {name: [value, "?"] for name, value in GOOD.items()}
    rows, reasons = DeliveredRows.of(RawStones("test", columns, [2, 3]), today=TODAY)
    assert rows.cells[0] == '["0.5","Ideal","E","SI1","1500"]'
    assert rows.usable.tolist() == [True, False]
    assert rows.reasons[0] == ""
    assert len(reasons) == 1


def test_refuses_a_list_as_a_date():  # a nested column of Parquet
    (row,) = cleaned(GOOD | {"date": [1]}).rejected
    assert row.reasons == ("date must be a day, such as 2026-11-24, not '[1]'",)


def test_cells_are_json_for_every_reader():
    columns = {name: [value] for name, value in GOOD.items()} | {"x": [float("nan")]}
    rows, _ = DeliveredRows.of(RawStones("test", columns, [2]), today=TODAY)
    assert rows.cells[0] == '["0.5","Ideal","E","SI1","1500","nan"]'
