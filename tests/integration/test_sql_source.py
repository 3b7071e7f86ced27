import sqlite3
from contextlib import closing

import pytest

from diamond_adapters.sources.locate import locate_sources
from diamond_core import SourceUnreadable
from diamond_core.use_cases.read_stones import read_stones


@pytest.fixture
def url(tmp_path):
    path = tmp_path / "stones.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE diamonds (Carat, CUT, color, clarity, price, note)")
        connection.executemany(
            "INSERT INTO diamonds VALUES (?, ?, ?, ?, ?, 'x')",
            [(1.1, "ideal", "H", "SI2", 4600), (None, "Ideal", "H", "SI2", -1)],
        )
        connection.execute("CREATE TABLE rings (size)")
    return f"sqlite:///{path}"


def test_reads_a_table_and_reports_its_bad_rows(url):
    (source,) = locate_sources([url])
    result = read_stones([source])[0]
    assert [stone.carat for stone in result.table] == [1.1]
    ((line, reasons),) = [(row.line, row.reasons) for row in result.rejected]
    assert line == 2
    assert set(reasons) == {
        "carat is missing: give the weight in carats, a number from 0.001 to 1000",
        "price must be the price in USD, a number from 0.01 to 1000000000, not -1",
    }


@pytest.mark.parametrize(
    ("suffix", "told"),
    [
        ("?table=rings", "lacks carat, cut, color, clarity, price; it has 'size'"),
        ("?table=gone", "no such table"),
        ("?table=a;drop", "letters, digits, _ and"),
    ],
)
def test_says_clearly_what_it_can_not_read(url, suffix, told):
    with pytest.raises(SourceUnreadable, match=told):
        read_stones(locate_sources([url + suffix]))


def test_repeats_no_password():
    with pytest.raises(SourceUnreadable) as caught:
        read_stones(locate_sources(["mysql://me:secret-word@127.0.0.1:1/shop"]))
    assert "secret-word" not in str(caught.value)
    assert "mysql://127.0.0.1:1/shop?table=diamonds" in str(caught.value)
    with pytest.raises(SourceUnreadable) as caught:
        locate_sources(["mysql://me:secret-word@host/shop?nonsense=1"])
    assert "secret-word" not in str(caught.value)
