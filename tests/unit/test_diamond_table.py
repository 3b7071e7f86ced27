import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import some_measured

from diamond_core import Clarity, Color, Cut, Diamond, DiamondTable, InvalidTable
from diamond_core.stones import diamond_table
from diamond_core.stones.diamond_table import DTYPE
from diamond_core.stones.fields import FIELDS, OPTIONAL, REQUIRED
from diamond_core.testing import some_stones

STONE = Diamond(carat=1.1, cut=Cut.IDEAL, color=Color.H, clarity=Clarity.SI2, table=57.0)


@given(st.lists(some_measured, max_size=5))
def test_gives_back_the_stones_it_was_made_from(given_stones):
    table = DiamondTable.from_diamonds(given_stones)
    assert list(table) == given_stones
    assert len(table) == len(given_stones)


def test_gives_models_their_features_in_order_with_nan_for_unknown():
    features = DiamondTable.from_diamonds([STONE]).features()
    assert features.dtype == np.float32
    np.testing.assert_array_equal(
        features, np.array([[1.1, 4, 2, 1, np.nan, 57, np.nan, np.nan, np.nan]], dtype=np.float32)
    )


def test_takes_grades_as_names_or_as_numbers():
    names = {
        "carat": [1.0, 2.0],
        "cut": ["Ideal", "Fair"],
        "color": ["D", "J"],
        "clarity": ["IF", "I1"],
    }
    numbers = names | {"cut": [4, 0], "color": np.array([6, 0]), "clarity": [7, 0]}
    first, second = DiamondTable.from_columns(names), DiamondTable.from_columns(numbers)
    np.testing.assert_array_equal(first.features(), second.features())


@pytest.mark.parametrize(
    "changes",
    [
        {"carat": [0.0]},
        {"carat": [1e-46]},
        {"carat": [1000.0001]},
        {"carat": [np.nan]},
        {"carat": [1.0, 2.0]},
        {"cut": ["Idol"]},
        {"cut": [5]},
        {"color": [-1]},
        {"price": [0.0]},
        {"price": [0.009]},
        {"price": [np.inf]},
        {"depth": [-1.0]},
        {"weight": [1.0]},
        {"carat": ["heavy"]},
        {"carat": [True]},
        {"carat": [10**400]},
        {"carat": [[1.0], [2.0, 3.0]]},
        {"cut": [["Ideal"], ["Ideal", "Fair"]]},
        {"cut": [None]},
        {"cut": [""]},
        {"price": [None, 1.0]},
        {"price": ["cheap"]},
        {"depth": [50.0], "x": [6.0], "y": [6.0], "z": [3.7]},
    ],
    ids=str,
)
def test_refuses_impossible_columns(changes):
    good = {"carat": [1.0], "cut": ["Ideal"], "color": ["D"], "clarity": ["IF"]}
    DiamondTable.from_columns(good)
    with pytest.raises(InvalidTable):
        DiamondTable.from_columns(good | changes)


def test_refuses_to_be_made_without_a_required_column():
    with pytest.raises(InvalidTable, match="clarity"):
        DiamondTable.from_columns({"carat": [1.0], "cut": ["Ideal"], "color": ["D"]})


@pytest.mark.parametrize("price", [0.0, -5.0, 1e10, np.inf])
def test_refuses_impossible_prices_of_stones(price):
    with pytest.raises(InvalidTable, match="price must be the price in USD"):
        DiamondTable.from_diamonds([STONE], [price])


def test_takes_stones_whose_price_is_not_known():
    assert np.isnan(DiamondTable.from_diamonds([STONE], [np.nan]).price).all()


def test_cannot_be_changed():
    table = some_stones(3)
    with pytest.raises(ValueError, match="read-only"):
        table.carat[0] = 9.0


def test_names_the_same_data_the_same_in_any_order():
    table = some_stones(50)
    assert table[::-1].digest() == table.digest()
    assert table[:49].digest() != table.digest()
    rows = table.rows_of_today()
    rows["price"][7] += 1
    assert DiamondTable(rows).digest() != table.digest()


def test_hashes_a_stone_by_its_content_but_not_its_price():
    table = some_stones(2000)
    hashes = table.stone_hashes()
    assert len(set(hashes.tolist())) == len(
        set(table.rows[list(table.rows.dtype.names[:-1])].tolist())
    )
    rows = table.rows_of_today()
    rows["price"] = 1.0
    np.testing.assert_array_equal(DiamondTable(rows).stone_hashes(), hashes)


def test_never_changes_its_hashes():
    # If this fails, stones change sides between training and hold-out: models of
    # different days can't be compared any more.
    table = DiamondTable.from_diamonds([STONE])
    assert int(table.stone_hashes()[0]) == 13429556132685875842


def test_concatenates():
    table = some_stones(10)
    both = DiamondTable.concatenate([table[:4], table[4:]])
    np.testing.assert_array_equal(both.rows, table.rows)
    assert len(DiamondTable.concatenate([])) == 0


def rows_of_another_version(table, *, without=(), more=(("girdle", np.float64, 3.5),)):
    """Return the rows as a version that lacks the fields *without* and has *more* stores them."""
    kept = [(name, DTYPE[name]) for name in DTYPE.names if name not in without]
    rows = np.zeros(len(table), dtype=[*((name, kind) for name, kind, _ in more), *kept])
    for name, _ in kept:
        rows[name] = table.column(name)
    for name, _, value in more:
        rows[name] = value
    return rows


def assert_same_rows(rows, expected):
    assert rows.dtype == expected.dtype
    for name in expected.dtype.names:
        np.testing.assert_array_equal(rows[name], expected[name])  # here NaN equals NaN


@pytest.mark.parametrize("missing", [*OPTIONAL, "all"])
def test_reads_rows_that_lack_a_field_as_unknown(missing):
    table = some_stones(20)
    lacking = OPTIONAL if missing == "all" else (missing,)
    older = DiamondTable(rows_of_another_version(table, without=lacking, more=()))
    expected = table.rows_of_today()
    for name in lacking:
        expected[name] = np.nan
        assert np.isnan(older.column(name)).all()
        assert not older.known(name).any()
    today = DiamondTable(expected)
    assert list(older) == list(today)
    assert_same_rows(older.rows_of_today(), expected)
    np.testing.assert_array_equal(older.features(), today.features())
    np.testing.assert_array_equal(older.stone_hashes(), today.stone_hashes())
    assert older.digest() == today.digest()
    assert older.diamond(3) == today.diamond(3)


def test_ignores_fields_of_a_later_version():
    table = some_stones(20)
    more = (("girdle", np.float64, 3.5), ("fluorescence", np.uint8, 2), ("report", "U10", "x"))
    later = DiamondTable(rows_of_another_version(table, more=more))
    assert list(later) == list(table)
    assert_same_rows(later.rows_of_today(), table.rows)
    np.testing.assert_array_equal(later.features(), table.features())
    np.testing.assert_array_equal(later.stone_hashes(), table.stone_hashes())
    assert later.digest() == table.digest()
    assert_same_rows(later.four_cs().rows, table.four_cs().rows)
    np.testing.assert_array_equal(later[5:9].price, table[5:9].price)


def test_concatenates_rows_of_all_versions():
    table = some_stones(12)
    older = DiamondTable(rows_of_another_version(table[:5], without=("table",), more=()))
    later = DiamondTable(rows_of_another_version(table[5:9]))
    both = DiamondTable.concatenate([older, later, table[9:]])
    expected = table.rows_of_today()
    expected["table"][:5] = np.nan
    assert_same_rows(both.rows, expected)


def test_reads_rows_of_another_version_without_a_copy():
    rows = rows_of_another_version(some_stones(20), without=("x",))
    table = DiamondTable(rows)
    assert np.shares_memory(table.rows, rows)
    assert np.shares_memory(table[3:].carat, rows)


@pytest.mark.parametrize("missing", [*REQUIRED, "price"])
def test_refuses_rows_that_lack_what_each_stone_has(missing):
    with pytest.raises(InvalidTable):
        DiamondTable(rows_of_another_version(some_stones(3), without=(missing,), more=()))


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros(3),
        np.zeros((3, 2), dtype=DTYPE),
        np.zeros((), dtype=DTYPE),
        np.zeros(3, dtype=[(name, np.float32) for name in DTYPE.names]),
        np.zeros(3, dtype=[(name, "U8") for name in DTYPE.names]),
    ],
    ids=lambda rows: f"{rows.shape} {rows.dtype.kind}",
)
def test_refuses_rows_that_are_no_stones(rows):
    with pytest.raises(InvalidTable):
        DiamondTable(rows)


@given(st.lists(some_measured, max_size=5), st.sets(st.sampled_from(OPTIONAL)))
def test_names_data_the_same_whether_a_field_is_unknown_or_was_never_stored(given_stones, lacking):
    table = DiamondTable.from_diamonds(given_stones, range(1, len(given_stones) + 1))
    rows = table.rows_of_today()
    for name in lacking:
        rows[name] = np.nan
    stored = DiamondTable(rows_of_another_version(table, without=lacking))
    assert stored.digest() == DiamondTable(rows).digest()


def test_names_data_the_same_when_a_field_is_added_that_no_stone_has(monkeypatch):
    table = some_stones(20)
    digest, hashes = table.digest(), table.stone_hashes()
    girdle = dataclasses.replace(FIELDS["table"], name="girdle")
    columns = [*((name, DTYPE[name]) for name in DTYPE.names), ("girdle", np.float64)]
    monkeypatch.setattr(diamond_table, "FIELDS", {**FIELDS, "girdle": girdle})
    monkeypatch.setattr(diamond_table, "DTYPE", np.dtype(columns, align=True))
    assert table.digest() == digest
    rows = table.rows_of_today()
    assert DiamondTable(rows).digest() == digest
    rows["girdle"][3] = 3.5
    assert DiamondTable(rows).digest() != digest
    np.testing.assert_array_equal(DiamondTable(rows).stone_hashes(), hashes)


def test_never_changes_its_digest():
    # If this fails, every model of the history seems to be of other data than today's.
    other = Diamond(carat=0.3, cut=Cut.FAIR, color=Color.D, clarity=Clarity.IF, depth=61.0)
    table = DiamondTable.from_diamonds([STONE, other], [5000.0, 700.0])
    assert table.digest() == "69e114b97330ecf9"


def test_gives_models_the_fields_that_they_ask_for():
    table = some_stones(10)
    features = table.features(["z", "cut"])
    assert features.shape == (10, 2)
    np.testing.assert_array_equal(features[:, 0], table.column("z").astype(np.float32))
    np.testing.assert_array_equal(features[:, 1], table.column("cut"))
    assert table.features([]).shape == (10, 0)


@given(some_measured)
def test_gives_models_one_stone_as_it_gives_many(stone):
    table = DiamondTable.from_diamonds([stone])
    for names in (tuple(FIELDS), ("carat",), ("clarity", "depth", "carat")):
        np.testing.assert_array_equal(table.features(names), stone.features(names))


def test_forgets_all_but_the_four_cs_and_the_price():
    table = some_stones(10)
    bare = table.four_cs()
    np.testing.assert_array_equal(bare.price, table.price)
    assert [stone.unknown for stone in bare] == [list(OPTIONAL)] * 10
    assert [stone.clarity for stone in bare] == [stone.clarity for stone in table]
