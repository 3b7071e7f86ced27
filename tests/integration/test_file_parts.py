"""A file in parts: together they are the whole file, batch by batch and line by line."""

import gzip
import pickle

import numpy as np
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from diamond_adapters.sources import csv_source, file_parts, parquet_source
from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.file_source import FileSource
from diamond_core import DiamondError, SourceUnreadable
from diamond_core.ports import DivisibleSource

HEADER = "carat,cut,color,clarity,price\n"
ROWS = [f"{0.3 + at / 100:.2f},Ideal,H,SI2,{1000 + at}\n" for at in range(57)]
BATCH = 5


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    for module in (csv_source, file_parts, parquet_source):
        monkeypatch.setattr(module, "BATCH_ROWS", BATCH)
    monkeypatch.setattr(file_parts, "_READ", 100)
    monkeypatch.setattr(file_parts, "_BATCHES", 100)


def read(sources):
    """Return the batches of all sources, or the error that ended them."""
    batches = []
    try:
        for source in sources:
            for batch in source.read():
                columns = {name: list(values) for name, values in batch.columns.items()}
                lines = list(batch.lines)
                batches.append((batch.source, columns, lines, list(batch.malformed), batch.header))
    except DiamondError as ex:
        return str(ex)
    return batches


def parts_of(path, count, **options):
    source = FileSource.from_path(path, **options)
    assert isinstance(source, DivisibleSource)
    return list(source.parts(count))


def written(tmp_path, text):
    path = tmp_path / "stones.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


BODY = "".join(ROWS)
DIVIDED = {
    "plain": HEADER + BODY,
    "no last line end": (HEADER + BODY).removesuffix("\n"),
    "whole batches": HEADER + "".join(ROWS[:20]),
    "CRLF": (HEADER + BODY).replace("\n", "\r\n"),
    "BOM": "\ufeff" + HEADER + BODY,
    "semicolons": ("sep=;\n" + HEADER + BODY).replace(",", ";"),
    "blank lines before the header": "\n\n" + HEADER + BODY,
    "quotes": (HEADER + BODY).replace("Ideal", '"Very, ""Good"""').replace("carat", '"carat"'),
    "ragged rows": HEADER + BODY.replace(",1007", "").replace("1031", "1,031"),
    "not UTF-8 in the end": (HEADER + BODY).encode() + "0.5,Ideal,é,SI2,1\n".encode("latin-1"),
    "a long line": HEADER + BODY + "x" * 1_000_001 + "\n" + BODY,
}
WHOLE = {
    "a blank line": HEADER + BODY + "\n" + BODY,
    "a blank line at the end": HEADER + BODY + "\n",
    "a row of blanks": HEADER + BODY + " , ,,,\u00a0\n" + BODY,
    "a row of blanks in quotes": HEADER + BODY + '"",,,,\n' + BODY,
    "a cell of two lines": HEADER + BODY + '0.5,"Very\nGood",H,SI2,1\n' + BODY,
    "an open quote": HEADER + BODY + '0.5,"Ideal,H,SI2,1\n' + BODY,
    "quotes inside": HEADER + BODY + '0.5 "a,Ide"al,H,SI2,"1\n' + BODY,
    "lone CR": (HEADER + BODY).replace("\n", "\r"),
    "one lone CR": HEADER + BODY + "0.5,Ideal,H,SI2,1\r0.6,Ideal,H,SI2,1\n" + BODY,
    "UTF-16": (HEADER + BODY).encode("utf-16"),
    "no rows": HEADER,
    "empty": "",
    "a header that names a column twice": "carat,carat\n" + BODY,
    "gzip": gzip.compress((HEADER + BODY).encode()),
    "a workbook that is none": b"PK\x03\x04 is all that it has",
}


@pytest.mark.parametrize("count", [1, 2, 3, 100])
@pytest.mark.parametrize("kind", [*DIVIDED, *WHOLE])
def test_the_parts_of_a_csv_are_the_whole(kind, count, tmp_path):
    path = written(tmp_path, {**DIVIDED, **WHOLE}[kind])
    parts = parts_of(path, count)
    assert read(parts) == read([FileSource.from_path(path)])
    assert (len(parts) > 1) == (kind in DIVIDED and count > 1)


def test_parts_have_about_the_same_size_and_fit_in_memory(tmp_path, monkeypatch):
    path = written(tmp_path, HEADER + BODY)
    assert [len(read([each])) for each in parts_of(path, 3)] == [4, 4, 4]
    monkeypatch.setattr(file_parts, "_BATCHES", 2)
    assert [len(read([each])) for each in parts_of(path, 3)] == [2] * 6


@pytest.mark.parametrize("rows", [0, 1, 5, 57])
@pytest.mark.parametrize("count", [1, 3, 100])
def test_the_parts_of_a_parquet_file_are_the_whole(rows, count, tmp_path):
    path = tmp_path / "stones.parquet"
    table = {
        "carat": Array(np.linspace(0.3, 2.0, rows), DataType.float64()),
        "cut": Array(["Ideal"] * rows, DataType.string()),
        "price": Array(np.arange(rows) + 300.0, DataType.float64()),
    }
    write_parquet(Table.from_pydict(table), path, max_row_group_size=7)
    parts = parts_of(path, count)
    assert read(parts) == read([FileSource.from_path(path)])
    assert len(parts) == max(1, min(count, -(-rows // BATCH)))


def test_a_damaged_parquet_file_is_read_whole(tmp_path):
    path = tmp_path / "stones.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    parts = parts_of(path, 3)
    assert len(parts) == 1
    assert read(parts) == read([FileSource.from_path(path)])


def test_a_csv_in_another_encoding_is_read_whole(tmp_path):
    path = written(tmp_path, (HEADER + BODY).replace("Ideal", "Idéal").encode("cp1252"))
    parts = parts_of(path, 3, encoding="cp1252")
    assert len(parts) == 1
    assert read(parts) == read([FileSource.from_path(path, encoding="cp1252")])


def test_parts_can_be_pickled_and_do_not_depend_on_the_folder(tmp_path, monkeypatch):
    path = written(tmp_path, HEADER + BODY)
    monkeypatch.chdir(tmp_path)
    parts = parts_of(path.relative_to(tmp_path), 2)
    pickled = pickle.dumps(parts)
    monkeypatch.chdir("/")
    assert read(pickle.loads(pickled)) == read(parts)


def test_says_so_where_a_host_has_no_such_file_or_another_one(tmp_path):
    path = written(tmp_path, HEADER + BODY)
    first, _ = parts_of(path, 2)
    path.write_text(HEADER + BODY + BODY)
    with pytest.raises(SourceUnreadable, match="has another file"):
        list(first.read())
    path.unlink()
    with pytest.raises(SourceUnreadable, match="all workers need the same files"):
        list(first.read())


def test_what_only_this_process_can_read_has_no_parts():
    assert not isinstance(bundled_source(), DivisibleSource)
    assert FileSource.from_url("http://127.0.0.1:1/stones.csv").parts(2) == []


def test_a_file_that_is_gone_says_so_when_it_is_read(tmp_path):
    path = written(tmp_path, HEADER + BODY)
    source = FileSource.from_path(path)
    path.unlink()
    assert source.parts(2) == []
