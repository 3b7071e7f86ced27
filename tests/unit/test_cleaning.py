import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import Diamond, InvalidDiamond, RawStones, RejectedRow, clean
from diamond_core.diamond import GRADES, grade_name

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
    ("changes", "told"),
    [
        ({"price": "-326"}, "price must be above 0, not '-326'"),
        ({"price": "0"}, "price must be above 0, not '0'"),
        ({"price": ""}, "price is missing"),
        ({"x": "0.0"}, "x must be above 0, not '0.0'"),
        ({"z": "-2"}, "z must be above 0, not '-2'"),
        ({"carat": ""}, "carat is missing"),
        ({"carat": "NaN"}, "carat must be a number, not 'NaN'"),
        ({"x": "nan"}, "x must be a number, not 'nan'"),
        ({"carat": "heavy"}, "carat must be a number, not 'heavy'"),
        ({"y": "inf"}, "y must be a number, not 'inf'"),
        ({"carat": "1e9"}, "carat must be at most 1000, not '1e9'"),
        ({"cut": " "}, "cut is missing"),
        ({"cut": None}, "cut is missing"),
        ({"z": "4.43"}, "depth 61.5 % contradicts x, y and z"),
        (
            {"clarity": "FL"},
            "clarity must be one of I1, SI2, SI1, VS2, VS1, VVS2, VVS1, IF (worst to best), not 'FL'",
        ),
    ],
    ids=str,
)
def test_gives_the_reason_for_a_bad_row(changes, told):
    (reason,) = reasons(**changes)
    assert reason.startswith(told)


def test_gives_every_reason_of_a_row():
    assert len(reasons(carat="?", cut="?", price="-1", x="0")) == 4


def test_knows_a_repeated_header_line():
    assert reasons(**{name: name for name in GOOD}) == ["the header line stands here again"]


def test_keeps_rows_with_unknown_measurements():
    assert reasons(depth="", x=None, y=float("nan")) == []
    without = {
        name: value
        for name, value in GOOD.items()
        if name in ("carat", "cut", "color", "clarity", "price")
    }
    columns = {name: [value] for name, value in without.items()}
    table = clean(RawStones("test", columns, [2])).table
    assert table.diamond(0).unknown == ["depth", "table", "x", "y", "z"]


def test_reads_grades_in_odd_case():
    assert reasons(cut="vErY gOOd", color="e", clarity=" si2 ") == []


def test_leaves_prices_aside_where_none_are_needed():
    result = cleaned(GOOD | {"price": "?"}, priced=False)
    assert result.rejected == ()
    assert np.isnan(result.table.price).all()


def test_reports_malformed_rows_among_the_others_in_line_order():
    malformed = [RejectedRow(3, ("has 2 fields where the header has 10",), "test")]
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
                numbers_as_text=True,
            )
            price = float(row["price"])
            good = 0 < price < 1e9
        except (InvalidDiamond, ValueError):
            good = False
        if good:
            kept.append((line, stone))
    rejected = {row.line for row in result.rejected}
    assert rejected == set(range(len(rows))) - {line for line, _ in kept}
    assert list(result.table) == [stone for _, stone in kept]


def test_knows_grades_by_their_names_only():
    assert grade_name("cut", "ideal") == "Ideal"
    assert grade_name("color", "ideal") is None
    assert grade_name("cut", 4) is None
