import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond, DiamondTable, InvalidTable
from diamond_core.testing import some_stones

STONE = Diamond(carat=1.1, cut=Cut.IDEAL, color=Color.H, clarity=Clarity.SI2, table=57.0)

stones = st.builds(
    Diamond,
    carat=st.floats(0.01, 1000),
    cut=st.sampled_from(Cut),
    color=st.sampled_from(Color),
    clarity=st.sampled_from(Clarity),
    depth=st.none() | st.floats(1, 100),
    table=st.none() | st.floats(1, 100),
    x=st.none() | st.floats(1, 100),
    y=st.none() | st.floats(1, 100),
)


@given(st.lists(stones, max_size=5))
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
        {"carat": [np.nan]},
        {"carat": [1.0, 2.0]},
        {"cut": ["Idol"]},
        {"cut": [5]},
        {"color": [-1]},
        {"price": [0.0]},
        {"price": [np.inf]},
        {"depth": [-1.0]},
        {"weight": [1.0]},
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


def test_cannot_be_changed():
    table = some_stones(3)
    with pytest.raises(ValueError, match="read-only"):
        table.carat[0] = 9.0


def test_names_the_same_data_the_same_in_any_order():
    table = some_stones(50)
    assert table[::-1].digest() == table.digest()
    assert table[:49].digest() != table.digest()
    rows = table.rows.copy()
    rows["price"][7] += 1
    assert DiamondTable(rows).digest() != table.digest()


def test_hashes_a_stone_by_its_content_but_not_its_price():
    table = some_stones(2000)
    hashes = table.stone_hashes()
    assert len(set(hashes.tolist())) == len(
        set(table.rows[list(table.rows.dtype.names[:-1])].tolist())
    )
    rows = table.rows.copy()
    rows["price"] = 1.0
    np.testing.assert_array_equal(DiamondTable(rows).stone_hashes(), hashes)


def test_hashes_the_same_for_ever():
    # If this fails, stones change sides between training and hold-out: the history loses its sense.
    table = DiamondTable.from_diamonds([STONE])
    assert int(table.stone_hashes()[0]) == 13429556132685875842


def test_concatenates():
    table = some_stones(10)
    both = DiamondTable.concatenate([table[:4], table[4:]])
    np.testing.assert_array_equal(both.rows, table.rows)
    assert len(DiamondTable.concatenate([])) == 0
