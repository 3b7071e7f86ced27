"""Reading training stones changes nothing, and a number is a number on every path or on none."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diamond_adapters.sources.locate import locate_sources
from diamond_core import Diamond, InvalidDiamond, SourceUnreadable
from diamond_core.stones.cleaning import read_columns
from diamond_core.use_cases.read_stones import read_stones

STONE = {"carat": "1.1", "cut": "Ideal", "color": "H", "clarity": "SI2"}


def test_a_database_is_only_read(tmp_path):
    path = tmp_path / "stones.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE diamonds (carat, cut, color, clarity, price)")
        connection.execute("INSERT INTO diamonds VALUES (1.1, 'Ideal', 'H', 'SI2', 4600)")
    before = path.read_bytes()
    assert len(read_stones(locate_sources([f"sqlite:///{path}"]))[0].table) == 1
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.db", "file not found"),
        ("new/gone.db", "file not found"),
        ("a%00b.db", "file not found"),
        ("a#b.db", "write [?] as %3F and # as %23"),
        ("a?b.db", "write [?] as %3F and # as %23"),
    ],
)
def test_a_database_that_is_not_there_is_not_created(tmp_path, name, said):
    with pytest.raises(SourceUnreadable, match=said):
        read_stones(locate_sources([f"sqlite:///{tmp_path}/{name}"]))
    assert list(tmp_path.iterdir()) == []


PARTS = [
    "1",
    "0",
    "5",
    ".",
    "e",
    "+",
    "-",
    "_",
    ",",
    "0x",
    "p3",
    "d",
    "j",
    "nan",
    "inf",
    "٣",
    "\uff15",
]
SPACES = [" ", "\t", "\n", "\x0b", "\x1c", "\x85", "\xa0", "\u2003", "\x00"]
TEXTS = st.lists(st.sampled_from([*PARTS, *SPACES]), max_size=5).map("".join) | st.text(max_size=4)


@given(st.lists(TEXTS | st.floats(0.0, 200.0).map(str), min_size=1, max_size=4))
@example(["1_0", "1"])
@example(["٣", "1"])
@example(["1\x00", "1"])
@example([" 1e1 ", "+5"])
def test_a_table_and_a_single_stone_take_the_same_texts(texts):
    size = len(texts)
    columns = {name: [value] * size for name, value in STONE.items()} | {"x": texts}
    rows, problems = read_columns(columns, size, text=True, priced=False)
    for at, text in enumerate(texts):
        try:
            stone, found = Diamond.parse(STONE | {"x": text}, text=True), ()
        except InvalidDiamond as ex:
            stone, found = None, ex.problems
        assert tuple(problems.get(at, ())) == found
        if stone is not None:
            np.testing.assert_equal(rows[at]["x"], np.nan if stone.x is None else stone.x)
