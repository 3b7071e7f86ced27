import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import (
    Diamond,
    InvalidDiamond,
    RawStones,
    RejectedRow,
    SourceUnreadable,
    clean,
)
from diamond_core.stones.cleaning import TOTAL_LINE, missing_columns, read_columns
from diamond_core.stones.fields import GRADES, PRICE

GOOD = {
    "carat": "0.23",
    "cut": "Ideal",
    "color": "E",
    "clarity": "SI2",
    "depth": "61.5",
    "table": "55",
    "price": "326",
    "x": "3.95",
    "y": "3.98",
    "z": "2.43",
}
CARATS = "the weight in carats, a number from 0.001 to 1000"
UP_TO_100 = "a number from 0.001 to 100"
USD = "the price in USD, a number from 0.01 to 1000000000"
CUTS = "one of Fair, Good, Very Good, Premium, Ideal (worst to best)"


def cleaned(*rows, **options):
    columns = {name: [row.get(name) for row in rows] for name in GOOD}
    return clean(RawStones("test", columns, range(2, 2 + len(rows))), **options)


def reasons(**changes):
    result = cleaned(GOOD, GOOD | changes, GOOD)
    assert len(result.table) == 3 - len(result.rejected)
    assert {row.line for row in result.rejected} <= {3}
    return [reason for row in result.rejected for reason in row.reasons]


def test_keeps_good_rows_as_they_are():
    result = cleaned(GOOD)
    assert result.rejected == ()
    assert result.table.rows.tolist() == [(0.23, 4, 5, 1, 61.5, 55.0, 3.95, 3.98, 2.43, 326.0)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": "-326"}, f"price must be {USD}, not -326"),
        ({"price": "0"}, f"price must be {USD}, not 0"),
        ({"price": "0.001"}, f"price must be {USD}, not 0.001"),
        ({"price": "1000000000.1"}, f"price must be {USD}, not 1000000000.1"),
        ({"price": ""}, f"price is missing: give {USD}"),
        ({"x": "0.0"}, f"x must be the length in millimeters, {UP_TO_100}, not 0"),
        ({"z": "-2"}, f"z must be the height in millimeters, {UP_TO_100}, not -2"),
        ({"carat": ""}, f"carat is missing: give {CARATS}"),
        ({"carat": "NaN"}, f"carat must be {CARATS}, not nan"),
        ({"x": "nan"}, f"x must be the length in millimeters, {UP_TO_100}, not nan"),
        ({"carat": "heavy"}, f"carat must be {CARATS}, not 'heavy'"),
        ({"y": "inf"}, f"y must be the width in millimeters, {UP_TO_100}, not inf"),
        ({"carat": "1e9"}, f"carat must be {CARATS}, not 1000000000"),
        ({"cut": " "}, f"cut is missing: give {CUTS}"),
        ({"cut": None}, f"cut is missing: give {CUTS}"),
        (
            {"z": "4.43"},
            "depth 61.5 % contradicts x, y and z: the height is 111.7 % of the mean diameter; check the four numbers",
        ),
        (
            {"clarity": "FL"},
            "clarity must be one of I1, SI2, SI1, VS2, VS1, VVS2, VVS1, IF (worst to best), not 'FL'",
        ),
    ],
    ids=str,
)
def test_gives_the_reason_for_a_bad_row(changes, expected):
    assert reasons(**changes) == [expected]


def test_gives_every_reason_of_a_row():
    assert len(reasons(carat="?", cut="?", price="-1", x="0")) == 4


def test_knows_a_repeated_header_line():
    assert reasons(**{name: name for name in GOOD}) == ["it repeats the header line"]


def test_keeps_rows_with_unknown_measurements():
    assert reasons(depth="", x=None, y=float("nan")) == []
    without = {
        name: value
        for name, value in GOOD.items()
        if name in ("carat", "cut", "color", "clarity", "price")
    }
    columns = {name: [value] for name, value in without.items()}
    table = clean(RawStones("test", columns, [2])).table
    assert len(table) == 1
    assert table.diamond(0).unknown == ["depth", "table", "x", "y", "z"]


def test_reads_grades_in_odd_case():
    assert reasons(cut="vErY gOOd", color="e", clarity=" si2 ") == []


@pytest.mark.parametrize(
    ("field", "texts", "grade"),
    [
        ("cut", ["VG", "v.g.", "V.GOOD", "V. Good", "very-good"], "Very Good"),
        ("cut", ["G", "GD", "gd."], "Good"),
        ("cut", ["F", "FR"], "Fair"),
        ("cut", ["I", "ID"], "Ideal"),
        ("clarity", ["VVS-1", "vvs 1", "VVS.1"], "VVS1"),
        ("clarity", ["P1"], "I1"),
        ("cut", ["EX", "EXC", "Excellent", "P", "PR", "Poor", "VGG", "V", "VG-EX", ""], None),
        ("color", ["D-E", "DE", "K", "VG"], None),
        ("clarity", ["FL", "LC", "P2", "SI", "SI3"], None),
    ],
)
def test_reads_what_the_trade_writes_for_a_grade(field, texts, grade):
    assert [GRADES[field].read(text) for text in texts] == [grade] * len(texts)


def test_gives_the_reason_for_a_grade_of_another_scale():
    told = "Excellent is of GIA's scale and has no equal in this one"
    assert reasons(cut="ex") == [f"cut must be {CUTS}, not 'ex': {told}"]


@pytest.mark.parametrize(
    ("cells", "is_total"),
    [
        (["Total", "", "", "", "", "661"], True),
        (["", "Summe:", "12 Stück", "", "", "661"], True),
        (["grand total (USD)", "", "", "", "", "$661"], True),
        (["Gesamtsumme", "", "", "", "", ""], True),
        (["", "", "", "", "", "661"], True),
        (["153", "", "", "", "", "661"], True),
        (["Totally fine", "1.1", "", "", "", "661"], False),
        (["Total", "1.1", "Ideal", "", "", "661"], False),
        (["A-1", "", "", "", "", "661"], False),
        (["153", "1.1", "", "", "", "661"], False),
        (["153", "", "", "", "", ""], False),
    ],
)
def test_knows_a_total_line(cells, is_total):
    header = ["note", "carat", "cut", "color", "clarity", "price"]
    columns = {name: [cell] for name, cell in zip(header, cells, strict=True) if name in GOOD}
    raw = RawStones("test", columns, [9], (), header, [(9, cells)])
    (row,) = clean(raw).rejected
    assert (row.reasons == (TOTAL_LINE,)) == is_total
    malformed = [RejectedRow(9, ("has 6 fields, but the header has 5",), "test")]
    raw = RawStones("test", {name: [] for name in columns}, [], malformed, header, [(9, cells)])
    (row,) = clean(raw).rejected
    assert (row.reasons == (TOTAL_LINE,)) == (is_total and cells[0] != "153" and any(cells[:2]))


def test_leaves_prices_aside_where_none_are_needed():
    result = cleaned(GOOD | {"price": "?"}, priced=False)
    assert result.rejected == ()
    assert np.isnan(result.table.price).all()


def test_reports_malformed_rows_among_the_others_in_line_order():
    malformed = [RejectedRow(3, ("has 2 fields, but the header has 10",), "test")]
    columns = {name: [value, value] for name, value in (GOOD | {"price": "-1"}).items()}
    result = clean(RawStones("test", columns, [2, 4], malformed))
    assert [row.line for row in result.rejected] == [2, 3, 4]


def test_cleans_an_empty_table():
    result = clean(RawStones("test", {name: [] for name in GOOD}, []))
    assert len(result.table) == 0
    assert result.rejected == ()


numbers = st.sampled_from(["0.5", "1", "61.5", "-1", "0", "nan", "", "x", "1e5", " 2 ", "inf"])


@given(
    st.lists(
        st.fixed_dictionaries(
            {name: numbers for name in GOOD if name not in GRADES}
            | {
                name: st.sampled_from(["Ideal", "very GOOD", "E", "SI2", "", "?", name])
                for name in GRADES
            }
        ),
        max_size=6,
    )
)
def test_agrees_with_building_each_stone_alone(rows):
    columns = {name: [row[name] for row in rows] for name in GOOD}
    result = clean(RawStones("test", columns, range(len(rows))))
    kept = []
    for line, row in enumerate(rows):
        try:
            stone = Diamond.parse(
                {name: value for name, value in row.items() if name != "price" and value},
                text=True,
            )
            price = float(row["price"])
            good = 0.01 <= price <= 1e9
        except (InvalidDiamond, ValueError):
            good = False
        if good:
            kept.append((line, stone))
    rejected = {row.line for row in result.rejected}
    assert rejected == set(range(len(rows))) - {line for line, _ in kept}
    assert list(result.table) == [stone for _, stone in kept]


def test_reads_grades_by_their_names_only():
    assert GRADES["cut"].read("ideal") == "Ideal"
    assert GRADES["color"].read("ideal") is None
    assert GRADES["cut"].read(4) is None


@pytest.mark.parametrize(
    "values",
    [
        ["1.5", "1_5", "2"],
        ["1.5", "\uff11", "2"],
        ["1.5", "1e400", "2"],
        ["1.5", "0x10", "2"],
        ["1.5", "1\x00", "2"],
        ["1.5", " 2\n", "2"],
        ["1.5", "", "2"],
        [1.5, True, 2],
        [1.5, 10**400, 2],
        [1.5, 2, np.float64(3)],
        [1.5, "2", 3],
        [1.5, None, 3],
        [1.5, [2], 3],
    ],
    ids=ascii,
)
@pytest.mark.parametrize("text", [False, True])
def test_reads_a_column_at_once_as_it_reads_each_value(values, text):
    """A whole column goes through numpy, which takes other texts and types than one value may."""
    rows, problems = read_columns({"x": values}, len(values), text=text, priced=False)
    alone = [read_columns({"x": [value]}, 1, text=text, priced=False) for value in values]
    np.testing.assert_array_equal(rows["x"], np.concatenate([row["x"] for row, _ in alone]))
    for at, (_, found) in enumerate(alone):
        assert problems[at] == found[0]


def test_names_the_required_columns_that_are_missing():
    assert missing_columns(["carat", "cut", "weight"]) == ["color", "clarity", "price"]
    assert missing_columns(["carat", "cut", "color", "clarity"], priced=False) == []
    assert missing_columns([*GOOD]) == []


def test_takes_prices_from_the_limits_of_the_price():
    for price in (PRICE.minimum, PRICE.maximum):
        assert reasons(price=repr(price)) == []
    for price in (np.nextafter(PRICE.minimum, 0), np.nextafter(PRICE.maximum, 1e10)):
        assert len(reasons(price=repr(float(price)))) == 1


@pytest.mark.parametrize("lines", [range(1), range(3)])
def test_refuses_columns_that_are_not_equally_long(lines):
    with pytest.raises(SourceUnreadable, match="cannot read shop: its columns have different"):
        RawStones("shop", {"carat": [1.0, 2.0]}, lines)
