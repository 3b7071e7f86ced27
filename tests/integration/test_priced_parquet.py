"""A Parquet file comes back priced, with the prices and the reasons of the same stones in a CSV."""

from __future__ import annotations

import csv
import io

import pytest
from arro3.core import Array, DataType, Field, RecordBatch, Schema
from arro3.io import read_parquet, write_parquet
from histories import following
from support import diamond

from diamond_app import priced_parquet
from diamond_app.priced_csv import price_csv
from diamond_app.priced_parquet import price_parquet
from diamond_app.priced_rows import ADDED
from diamond_core import PriceDiamonds, SourceUnreadable
from diamond_core.testing import a_card, some_stones

TEXT, NUMBER = DataType.string(), DataType.float64()
COLUMNS = {
    "id": (["a", None, "c", "=1+1", "e", "f"], TEXT),
    "Carat": ([1.1, 0.3, None, -1.0, 1.0, 1000.0], NUMBER),
    "cut": (["Ideal", "very good", "Ideal", "Best", "Good", "Fair"], TEXT),
    "color": (["H", "d", "H", "H", None, "J"], TEXT),
    "clarity": (["SI2", "if", "SI2", "SI2", "SI2", "I1"], TEXT),
    "depth": ([61.5, None, 61.0, float("nan"), 200.0, 60.0], NUMBER),
}


@pytest.fixture(scope="module")
def price_diamonds():
    return PriceDiamonds(following(a_card("formula-1"), some_stones(400)))


def parquet(path, columns):
    fields = [Field(name, kind) for name, (_, kind) in columns.items()]
    arrays = [Array(values, kind) for values, kind in columns.values()]
    batch = RecordBatch.from_arrays(arrays, schema=Schema(fields))
    write_parquet(batch, str(path))
    return path


def priced(path, price_diamonds, **more):
    """Price a file; return the counts, and the columns that were written."""
    target = io.BytesIO()
    with path.open("rb") as source:
        found = price_parquet(str(path), source, target, price_diamonds, **more)
    table = read_parquet(io.BytesIO(target.getvalue())).read_all()
    return found, {name: table.column(name).to_pylist() for name in table.column_names}


def as_csv(columns):
    rows = [",".join(columns)]
    for row in zip(*(values for values, _ in columns.values()), strict=True):
        rows += [",".join("" if cell is None or cell != cell else str(cell) for cell in row)]
    return "\n".join(rows).encode()


@pytest.mark.parametrize("rows_at_once", [4, 10_000])
def test_has_the_prices_and_reasons_of_the_same_csv(
    price_diamonds, tmp_path, monkeypatch, rows_at_once
):
    monkeypatch.setattr(priced_parquet, "_ROWS_AT_ONCE", rows_at_once)
    shares = []
    found, columns = priced(
        parquet(tmp_path / "it.parquet", COLUMNS),
        price_diamonds,
        progress=lambda _, share: shares.append(share),
    )
    assert [*columns] == [*COLUMNS, *ADDED]
    assert columns["id"] == COLUMNS["id"][0]
    assert columns["Carat"] == COLUMNS["Carat"][0]
    data, target = as_csv(COLUMNS), io.BytesIO()
    of_csv = price_csv("it", io.BytesIO(data), len(data), target, price_diamonds)
    assert (found.good, found.bad) == (of_csv.good, of_csv.bad) == (2, 4)
    texts = [["" if each is None else str(each) for each in columns[name]] for name in ADDED]
    rows = [*csv.reader(io.StringIO(target.getvalue().decode(), newline=""))][1:]
    assert [list(row) for row in zip(*texts, strict=True)] == [row[-5:] for row in rows]
    assert all(0 < share <= 1 for share in shares)
    assert len(shares) == (2 if rows_at_once == 4 else 1)


def test_a_float32_is_the_number_that_its_writer_saw(price_diamonds, tmp_path):
    four = {name: (values[:2], kind) for name, (values, kind) in COLUMNS.items()}
    narrow = four | {"Carat": (four["Carat"][0], DataType.float32())}
    prices = [
        priced(parquet(tmp_path / "it.parquet", columns), price_diamonds)[1]["predicted_price"]
        for columns in (four, narrow)
    ]
    assert prices[0] == prices[1]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": ([1.0], NUMBER)}, "lacks carat, cut, color, clarity"),
        (COLUMNS | {"error": ([None] * 6, TEXT)}, "already has error: drop"),
        (COLUMNS | {"CUT": COLUMNS["cut"]}, "names cut more than once"),
    ],
    ids=["other", "priced", "twice"],
)
def test_says_what_is_wrong_with_the_columns(price_diamonds, tmp_path, columns, said):
    with pytest.raises(SourceUnreadable, match=said):
        priced(parquet(tmp_path / "it.parquet", columns), price_diamonds)


def test_a_file_without_rows_gets_the_columns(price_diamonds, tmp_path):
    none = {name: ([], kind) for name, (_, kind) in COLUMNS.items()}
    found, columns = priced(parquet(tmp_path / "it.parquet", none), price_diamonds)
    assert (found.good, found.bad) == (0, 0)
    assert columns == {name: [] for name in [*COLUMNS, *ADDED]}


def test_the_command_prices_a_parquet_file(trained_home, tmp_path):
    path, out = parquet(tmp_path / "it.parquet", COLUMNS), tmp_path / "out.parquet"
    told = diamond(trained_home, "predict", str(path), "--output", str(out)).stderr
    assert "2 stones priced, 4 rows not priced" in told
    assert read_parquet(str(out)).read_all().num_rows == 6
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(path.read_bytes()[:-9])
    failed = diamond(
        trained_home, "predict", str(damaged), "--output", str(tmp_path / "no.parquet"), check=False
    )
    assert failed.returncode == 1
    assert "the Parquet file is damaged" in failed.stderr
    assert not (tmp_path / "no.parquet").exists()


@pytest.mark.parametrize("arguments", [["it.parquet"], ["it.parquet", "--output", "it.csv"]])
def test_a_file_keeps_its_kind(trained_home, tmp_path, arguments):
    parquet(tmp_path / "it.parquet", COLUMNS)
    failed = diamond(trained_home, "predict", *arguments, check=False)
    assert failed.returncode == 2
    assert "a Parquet file is priced into a Parquet file" in failed.stderr
