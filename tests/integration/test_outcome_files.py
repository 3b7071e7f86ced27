"""Files of outcomes: CSV, Excel and Parquet, large ones, and those that are something else."""

from __future__ import annotations

import json
import weakref
from datetime import date
from pathlib import Path

import pytest
from arro3.core import Array, DataType
from click.testing import CliRunner
from recorded import priced_batch, priced_exchange
from support import STONE
from tables import write_parquet, write_workbook
from wired import in_memory

from diamond_app.cli.main import cli
from diamond_app.outcome_files import read_outcomes
from diamond_core import DiamondError, RawStones, Unavailable
from diamond_core.use_cases import report_outcomes

BATCH = "18ea9846f04c237630ad568397b5eb71"
SINGLE = "18ea9846f04c237630ad568397b5eb72"
BOUGHT = Path(__file__).parents[1] / "data" / "outcomes" / "bought.xlsx"
TODAY = date(2026, 11, 28)


@pytest.fixture
def container():
    """A service that priced a batch of five stones and a single one, with the ids of the files."""
    container = in_memory()
    container.request_log().append_all(
        [priced_batch(BATCH, [STONE] * 5, 5000.0), priced_exchange(SINGLE, STONE, 5000.0)]
    )
    return container


@pytest.fixture
def run(container):
    """Import a file: give the exit code, and the answer."""

    def run(file):
        arguments = ["outcomes", "import", str(file), "--json"]
        done = CliRunner().invoke(cli, arguments, obj=container)
        if isinstance(done.exception, DiamondError):
            return str(done.exception), json.loads(done.stdout or "null")
        return done.exit_code, json.loads(done.stdout)

    return run


def kept(container):
    return {
        each.id.removeprefix(BATCH): (each.price_paid, str(each.paid_on), each.note)
        for each in container.outcome_log().read()
    }


def test_a_workbook_of_a_spreadsheet_program(container, run):
    code, answer = run(BOUGHT)
    today = str(container.clock()().date())

    assert kept(container) == {
        "-0": (4500.0, "2026-11-03", "ring"),
        "-1": (4600.5, "2026-11-04", "4711"),
        "-2": (4700.0, "2026-11-05", ""),
        "-3": (4800.0, today, ""),
        SINGLE: (4500.0, "2026-11-07", ""),
    }
    assert (code, answer["kept"], answer["known"]) == (1, 5, 1)
    assert {each["line"]: each["reason"].partition(":")[0] for each in answer["refused"]} == {
        9: "id",
        10: f"there is no prediction '{BATCH}-9' in the request log",
        11: "price_paid",
        12: "date",
    }

    _, again = run(BOUGHT)
    assert (again["kept"], again["corrected"], again["known"]) == (0, 0, 6)


def test_a_parquet_file_with_types_of_its_own(container, run, tmp_path):
    text = DataType.string()
    write_parquet(
        tmp_path / "paid.parquet",
        {
            "Prediction id": Array([f"{BATCH}-0", f"{BATCH}-1", f"{BATCH}-2", SINGLE], text).cast(
                DataType.dictionary(DataType.int32(), text)
            ),
            "price": Array(["4500.50", "4600.00", "4700", None], text).cast(
                DataType.decimal128(10, 2)
            ),
            "date": Array([20760, None, 20761, None], DataType.int32()).cast(DataType.date32()),
            "note": Array([None, "ring", None, None], text),
            "shop": Array([1, 2, 3, 4], DataType.int64()),
        },
    )

    code, answer = run(tmp_path / "paid.parquet")

    today = str(container.clock()().date())
    assert kept(container) == {
        "-0": (4500.5, "2026-11-03", ""),
        "-1": (4600.0, today, "ring"),
        "-2": (4700.0, "2026-11-04", ""),
    }
    assert (code, [each["line"] for each in answer["refused"]]) == (1, [4])


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_file_without_rows_imports_nothing(container, run, tmp_path, kind):
    file = tmp_path / f"paid.{kind}"
    if kind == "csv":
        file.write_text("id,price_paid\n")
    elif kind == "xlsx":
        write_workbook(file, {"Paid": [["id", "price_paid"]]})
    else:
        write_parquet(file, {"id": Array([], DataType.string()), "price_paid": []})
    assert run(file) == (0, {"kept": 0, "corrected": 0, "known": 0, "refused": []})


def test_names_the_sheets_of_several_with_outcomes(run, tmp_path):
    file = tmp_path / "paid.xlsx"
    rows = [["id", "paid"], [SINGLE, 4500]]
    write_workbook(file, {"March": rows, "April": rows, "Empty": []})
    assert "2 of its sheets have outcomes: 'March', 'April'; name one" in run(file)[0]
    assert run(f"{file}#April")[1]["kept"] == 1


TEXT = "it is text, not what its name says, and as a CSV: "


@pytest.mark.parametrize("command", ["outcomes import", "data add"])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"", f"{TEXT}it is empty"),
        ("a.xlsx", b"Dear all,\nthe prices follow\n", f"{TEXT}the header lacks "),
        ("a.parquet", b"<html>sign in</html>", f"{TEXT}the header lacks "),
        ("a.XLS", b"\x9f\xff\x00\x01" * 20, f"{TEXT}"),
        ("a.xlsx", b"PK\x03\x04 and then nothing", "it is not a workbook, or it is damaged"),
        ("a.parquet", b"PAR1 and then nothing", "the Parquet file is damaged"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(container, tmp_path, command, name, content, words):
    file = tmp_path / name
    file.write_bytes(content)
    done = CliRunner().invoke(cli, [*command.split(), str(file)], obj=container)
    assert isinstance(done.exception, DiamondError)
    assert str(done.exception).startswith(f"cannot read {file}: {words}")


def test_a_csv_with_the_name_of_a_workbook_is_read(run, tmp_path):
    file = tmp_path / "paid.xls"
    file.write_text(f"id\tprice_paid\tdate\n{SINGLE}\t4500\t\n")
    assert run(file) == (0, {"kept": 1, "corrected": 0, "known": 0, "refused": []})


def test_says_what_a_file_lacks_and_what_it_has_twice(run, tmp_path):
    file = tmp_path / "paid.csv"
    for header, words in {
        "id;price": None,
        "id;amount": "the header lacks price_paid; it has 'id', 'amount'",
        "price;paid;id": "price and paid both mean price_paid: keep one",
        "id;price;Prediction ID": "id and Prediction ID both mean id: keep one",
    }.items():
        file.write_text(f"{header}\n")
        found, _ = run(file)
        assert found == 0 if words is None else words in found


def test_several_files_are_wrong_usage(container, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("id,price\n")
    arguments = ["outcomes", "import", str(tmp_path / "*.csv")]
    done = CliRunner().invoke(cli, arguments, obj=container)
    assert (done.exit_code, "2 files" in done.output) == (2, True)


def test_ragged_rows_are_named(run, tmp_path):
    file = tmp_path / "paid.csv"
    file.write_text(f"id,price_paid,note\n{SINGLE},4500\n{BATCH}-0,4500,\n")
    _, answer = run(file)
    assert answer["kept"] == 1
    assert answer["refused"] == [
        {"line": 2, "id": "", "reason": "has 2 fields, but the header has 3"}
    ]


class Batches:
    """A source of as many rows as one likes, a thousand in a batch; it counts those in memory."""

    name = "batches"

    def __init__(self, rows):
        self._rows = rows
        self._alive = weakref.WeakSet()
        self.most_alive = 0

    def read(self):
        for first in range(0, self._rows, 1000):
            lines = range(first, first + 1000)
            cells = [(line, (f"{line:032x}", "4500")) for line in lines]
            raw = _Batch("batches", {}, [], (), ("id", "price_paid"), cells)
            del cells
            self._alive.add(raw)
            self.most_alive = max(self.most_alive, len(self._alive))
            yield raw
            del raw


class _Batch(RawStones):
    __slots__ = ("__weakref__",)

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other


def test_a_file_is_never_in_memory_as_a_whole(container):
    source = Batches(20_000)
    results = container.report_outcomes().many(
        (row.report for row in read_outcomes(source, TODAY)), by="me", admin=True
    )
    assert sum(isinstance(each, DiamondError) for each in results) == 20_000
    assert source.most_alive <= 2


def test_what_was_imported_before_a_failure_is_kept_and_told(container, run, tmp_path, monkeypatch):
    monkeypatch.setattr(report_outcomes, "_AT_ONCE", 2)
    file = tmp_path / "paid.csv"
    lines = [f"{BATCH}-{at},4500" for at in range(5)]
    file.write_text("id,price_paid\n" + "\n".join(lines) + "\n")
    log = container.outcome_log()
    add = log.add

    def add_once(outcomes):
        add(outcomes)
        monkeypatch.setattr(log, "add", fail)

    def fail(outcomes):
        raise Unavailable("the database is away")

    monkeypatch.setattr(log, "add", add_once)
    told, answer = run(file)
    assert "the database is away" in told
    assert answer == {"kept": 2, "corrected": 0, "known": 0, "refused": []}

    monkeypatch.setattr(log, "add", add)
    assert run(file) == (0, {"kept": 3, "corrected": 0, "known": 2, "refused": []})


def test_a_file_that_is_damaged_in_the_middle(container, run, tmp_path):
    file = tmp_path / "paid.csv"
    rows = [f"{BATCH}-0,4500,ring".encode()] * 60_000
    file.write_bytes(b"id,price_paid,note\n" + b"\n".join([*rows, b"x,1,K\xf6ln", b""]))
    told, answer = run(file)
    assert "byte 0xf6 on line 60002 is not UTF-8" in told
    assert (answer["kept"], answer["known"]) == (1, 49_999)
