"""Damaged, hostile and disguised files cost one sentence, not a traceback or the memory."""

from __future__ import annotations

import gzip
import random
import sys
import zipfile

import pytest
from tables import write_parquet, write_workbook

from diamond_adapters.sources import excel_source, workbook_parts
from diamond_adapters.sources.file_source import FileSource
from diamond_adapters.sources.locate import locate_sources
from diamond_core import SourceUnreadable
from diamond_core.use_cases.read_stones import read_stones

HEADER = ["carat", "cut", "color", "clarity", "price"]
STONE = [1.1, "Ideal", "H", "SI2", 4733]


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "stones.xlsx"
    write_workbook(path, {"Stock": [HEADER, STONE]})
    return path


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "stones.parquet"
    write_parquet(path, dict(zip(HEADER, map(list, zip(*[STONE] * 500, strict=True)), strict=True)))
    return path


def count(path):
    return len(read_stones([FileSource.from_path(path)])[0].table)


def refusal(path):
    with pytest.raises(SourceUnreadable) as caught:
        read_stones([FileSource.from_path(path)])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_bytes_tell_what_a_file_is(book, parquet, tmp_path):
    for original, stones in ((book, 1), (parquet, 500)):
        for name in ("stones.csv", "stones.xls", "stones"):
            disguised = tmp_path / name
            disguised.write_bytes(original.read_bytes())
            assert count(disguised) == stones
            disguised.write_bytes(gzip.compress(original.read_bytes()))
            assert count(disguised) == stones


def test_a_damaged_parquet_file_is_one_sentence(parquet, capfd):
    """On some of these, arro3 aborts the process that it runs in."""
    whole = parquet.read_bytes()
    chance = random.Random(3)
    said = []
    for _ in range(25):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[chance.randrange(4, len(whole))] = chance.randrange(256)
        parquet.write_bytes(damaged)
        try:
            count(parquet)
        except SourceUnreadable as ex:
            said.append(str(ex))
    assert len(said) > 3
    assert all("damaged" in each or "lacks" in each for each in said)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_workbook_is_one_sentence(book, capfd):
    whole = book.read_bytes()
    for end in (4, 30, 200, len(whole) // 2, len(whole) - 4):
        book.write_bytes(whole[:end])
        assert "damaged" in refusal(book)
    book.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    assert "damaged" in refusal(book)
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("stones.csv", "carat,cut,color,clarity,price\n")
    assert "not a workbook" in refusal(book)
    assert capfd.readouterr() == ("", "")


def test_a_zip_bomb_is_not_unpacked(book, monkeypatch):
    lying = bytearray(book.read_bytes())
    at = lying.rindex(b"PK\x01\x02", 0, lying.rindex(b"xl/worksheets/sheet0.xml"))
    lying[at + 24 : at + 28] = (10).to_bytes(4, "little")  # the size in the directory
    honest = book.read_bytes()
    book.write_bytes(lying)
    assert "damaged" in refusal(book)
    book.write_bytes(honest)
    monkeypatch.setattr(workbook_parts, "MAXIMUM_UNZIPPED", 1000)
    assert "more than 1,000 bytes" in refusal(book)
    monkeypatch.setattr(excel_source, "MAXIMUM_WORKBOOK", 1000)
    assert refusal(book).endswith("it has more than 1,000 bytes")


def test_a_sheet_with_a_cell_far_away_is_not_filled_up(book):
    write_workbook(book, {"Stock": [HEADER, STONE, [None] * 16_383 + ["far"]]})
    assert "more than 200 columns" in refusal(book)


def test_without_the_extra_it_says_what_installs_it(book, parquet, monkeypatch):
    for module in ("pandas", "arro3.io"):
        monkeypatch.setitem(sys.modules, module, None)
    install = "is not installed; run: pip install 'diamond-core[train]'"
    assert refusal(book).endswith(f"pandas {install}")
    assert refusal(parquet).endswith(f"arro3.io {install}")


def test_a_file_can_have_a_number_sign_in_its_name(book, tmp_path):
    named = tmp_path / "a#b.xlsx"
    book.rename(named)
    for text in (str(named), f"{named}#Stock"):
        assert len(read_stones(locate_sources([text]))[0].table) == 1
    with pytest.raises(SourceUnreadable, match="it has no sheet 'b'"):
        read_stones(locate_sources([f"{named}#b"]))


def test_an_empty_table_has_no_stones(book, parquet):
    write_workbook(book, {"Stock": [HEADER], "Empty": []})
    write_parquet(parquet, {name: [] for name in HEADER})
    assert count(book) == count(parquet) == 0
    write_workbook(book, {"Stock": [[*HEADER, "Carat"], [*STONE, 1]]})
    assert "carat more than once" in refusal(book)


def test_a_column_of_lists_is_no_damage(parquet):
    from arro3.core import Array, DataType, list_array

    lists = list_array(Array([0, 1], DataType.int32()), Array([0.5], DataType.float32()))
    stone = {name: [value] for name, value in zip(HEADER, STONE, strict=True)}
    write_parquet(parquet, stone | {"vector": lists})
    (batch,) = FileSource.from_path(parquet).read()
    assert [[*cells][-1] for _, cells in batch.delivered] == [[0.5]]
