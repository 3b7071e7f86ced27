"""What a stone may be is stated once: every way in accepts and refuses the same, in the same words.

The oracle below is the plain way: it looks at one value after another, straight from the limits of
``FIELDS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diamond_core import Diamond, DiamondTable, InvalidDiamond, RawStones, clean
from diamond_core.stones.cleaning import TOTAL_LINE, read_columns
from diamond_core.stones.fields import FIELDS, GRADES, NUMBERS, OPTIONAL

GOOD = {"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"}
MEASURED = GOOD | {"depth": 61.5, "table": 57, "x": 6.6, "y": 6.6, "z": 4.06}
MEANING = {
    "carat": "the weight in carats",
    "depth": "the total depth in percent of the mean diameter",
    "table": "the table's width in percent of the mean diameter",
    "x": "the length in millimeters",
    "y": "the width in millimeters",
    "z": "the height in millimeters",
}
GRADE_NAMES = {
    "cut": "Fair, Good, Very Good, Premium, Ideal",
    "color": "J, I, H, G, F, E, D",
    "clarity": "I1, SI2, SI1, VS2, VS1, VVS2, VVS1, IF",
}


# The oracle


def oracle(values: Mapping[str, object]) -> dict[str, str]:
    """Return what is wrong with each field of plain *values*; empty for a stone that can exist."""
    problems = {}
    for name, field in FIELDS.items():
        value = values.get(name)
        if name in GRADES:
            allowed = f"one of {GRADE_NAMES[name]} (worst to best)"
            good = grade_of(name, value) is not None
        else:
            maximum = {1000.0: "1000", 100.0: "100"}[field.maximum]
            allowed = f"{MEANING[name]}, a number from 0.001 to {maximum}"
            good = value is not None and within(value, field)
        if value is None:
            if name not in OPTIONAL:
                problems[name] = f"is missing: give {allowed}"
        elif not good:
            shown = quoted(value) if name in GRADES else number_as_people_write_it(value)
            problems[name] = f"must be {allowed}, not {shown}"
            if name == "cut" and value == "Excellent":
                problems[name] += ": Excellent is of GIA's scale and has no equal in this one"
    if not problems and None not in (measured := [values.get(name) for name in "xyz"]):
        depth, (x, y, z) = values.get("depth"), measured
        if depth is not None:
            actual = 100.0 * z / ((x + y) / 2.0)
            if abs(actual - depth) > 3.0:
                problems["depth"] = (
                    f"{depth:g} % contradicts x, y and z: the height is {actual:.1f} % of the mean"
                    " diameter; check the four numbers"
                )
        volume = measured[0] * measured[1] * measured[2]
        if not problems and not 0.004 * volume <= values["carat"] <= 0.012 * volume:
            problems["carat"] = (
                f"{values['carat']:g} ct contradicts x, y and z: a stone of that size weighs"
                f" {0.004 * volume:.2g} to {0.012 * volume:.2g} ct; check the four numbers"
            )
    return problems


def within(value: float, field) -> bool:
    return Fraction(field.minimum) <= Fraction(value) <= Fraction(field.maximum)


def grade_of(name: str, value: object) -> str | None:
    """Look for a grade of the same letters and digits, or for what the trade writes for it."""
    letters = [each for each in str(value).lower() if each.isalnum()]
    if name == "cut" and letters == ["v", "g"]:
        return "Very Good"
    for grade in GRADES[name].grades:
        if letters == [each for each in grade.lower() if each.isalnum()]:
            return grade
    return None


def quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= 40 else f"'{text[:37]}...'"


def number_as_people_write_it(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)


# The ways in


def parsed(values, *, text):
    try:
        return Diamond.parse(values, text=text), {}
    except InvalidDiamond as ex:
        return None, {problem.field: problem.detail for problem in ex.problems}


def built(values):
    """Build it by hand, where its grades are some."""
    exact = {
        name: GRADES[name].members.get(grade_of(name, value), value) if name in GRADES else value
        for name, value in ({"carat": None, **dict.fromkeys(GRADES)} | values).items()
    }
    try:
        return Diamond(**exact), {}
    except InvalidDiamond as ex:
        return None, {problem.field: problem.detail for problem in ex.problems}


def as_text(values):
    """Return the values as a CSV or a query gives them: text, and blank where there is nothing."""
    return {name: "" if value is None else str(value) for name, value in values.items()}


def read_among_others(values, *, text):
    """Read the stone as the second of three rows, of which the others are good."""
    other = as_text(MEASURED) if text else MEASURED
    rows = [other, values, other]
    columns = {name: [row.get(name) for row in rows] for name in FIELDS}
    read, problems = read_columns(columns, 3, text=text, priced=False)
    assert set(problems) <= {1}
    found = {problem.field: problem.detail for problem in problems.get(1, [])}
    return None if found else DiamondTable(read[1:2]).diamond(0), found


def cleaned(values):
    """Clean the stone as the second of three rows of text."""
    rows = [row | {"price": "5000"} for row in (as_text(MEASURED), values, as_text(MEASURED))]
    columns = {name: [row.get(name, "") for row in rows] for name in (*FIELDS, "price")}
    result = clean(RawStones("test", columns, [2, 3, 4]))
    if not result.rejected:
        return result.table.diamond(1), ()
    (row,) = result.rejected
    assert (row.line, len(result.table)) == (3, 2)
    return None, row.reasons


# What stones are tried

EDGES = {
    name: [
        *(field.minimum, field.maximum, field.example),
        *(float(np.nextafter(field.minimum, 0)), float(np.nextafter(field.maximum, np.inf))),
        *(1e-46, 0.0001, 0.001, 1000, 1000.0001, 100, 100.5, 1e9, 1e16, 0, 0.0, -0.0, -1, -0.5),
    ]
    for name, field in NUMBERS.items()
}
GRADE_WORDS = [
    "Ideal",
    "Very Good",
    "very good",
    "VERY-GOOD",
    "very_good",
    "verygood",
    " Fair ",
    "VG",
    "v.g.",
    "H",
    "h",
    "SI2",
    "si2",
    "si-2",
    "if",
    "Idol",
    "Excellent",
    "FL",
    "K",
    "-",
    "x" * 60,
]


def numbers_of(name):
    field = NUMBERS[name]
    return (
        st.floats(field.minimum, field.maximum)
        | st.sampled_from(EDGES[name])
        | st.integers(-2, 1002)
        | st.floats(-10, 2000, allow_nan=False)
    )


measured_alike = st.builds(
    lambda width, share, off: {
        "x": width,
        "y": width,
        "z": width * share / 100.0,
        "depth": share + off,
    },
    st.floats(1, 20),
    st.floats(40, 80),
    st.sampled_from([0, 0.5, -0.5, 2.999, -2.999, 3.001, -3.001, 9, -9]),
)
any_values = st.fixed_dictionaries(
    {},
    optional={name: st.none() | numbers_of(name) for name in NUMBERS}
    | {name: st.none() | st.sampled_from(GRADE_WORDS) for name in GRADES},
)
plausible = st.builds(
    lambda stone, measured, table: GOOD | stone | measured | table,
    st.fixed_dictionaries(
        {"carat": st.floats(0.001, 1000)},
        optional={name: st.sampled_from([*GRADES[name].grades]) for name in GRADES},
    ),
    measured_alike,
    st.fixed_dictionaries({}, optional={"table": st.none() | numbers_of("table")}),
)
nearly_good = st.builds(
    lambda values, changes: {**values, **changes},
    st.just(MEASURED) | st.just(GOOD),
    any_values,
)


@settings(max_examples=300)
@given(any_values | plausible | nearly_good)
@example(MEASURED)
@example(GOOD)
@example({})
@example(GOOD | {"carat": 1e-46})
@example(GOOD | {"carat": 0.0001})
@example(MEASURED | {"z": 2.0})
@example(MEASURED | {"depth": 64.5, "z": 4.06})
@example(GOOD | {"cut": "VERY-GOOD", "color": "h", "clarity": "vvs 1"})
def test_every_way_in_accepts_and_refuses_the_same_stones_in_the_same_words(values):
    expected = oracle(values)
    stones = []
    for stone, problems in (
        parsed(values, text=False),
        parsed(as_text(values), text=True),
        read_among_others(values, text=False),
        read_among_others(as_text(values), text=True),
        read_among_others(values, text=True),
    ):
        assert problems == expected
        stones.append(stone)
    stone, reasons = cleaned(as_text(values))
    assert list(reasons) == (
        [f"{field} {detail}" for field, detail in expected.items()]
        if any(as_text(values).values())
        else [TOTAL_LINE]  # there is a price and nothing else
    )
    stones.append(stone)
    if not any(name in expected for name in GRADES):
        stone, problems = built(values)
        assert problems == expected
        stones.append(stone)
    assert all(stone == stones[0] for stone in stones)
    assert (stones[0] is None) == bool(expected)
    if stones[0] is not None:
        for name, value in values.items():
            read = getattr(stones[0], name)
            assert read == (grade_of(name, value) if name in GRADES else value)


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0001, "0.0001"),
        (1e-46, "1e-46"),
        (1000.0001, "1000.0001"),
        (1e9, "1000000000"),
        (1_000_000, "1000000"),
        (0, "0"),
        (-1, "-1"),
        (-0.5, "-0.5"),
    ],
)
def test_shows_a_number_the_same_however_it_was_given(field, value, shown):
    values = MEASURED | {field: value}
    for text in (str(value), f" {value} ", f"{value:.60g}"):
        for problems in (
            parsed(values, text=False)[1],
            parsed(as_text(values) | {field: text}, text=True)[1],
            read_among_others(values, text=False)[1],
            read_among_others(as_text(values) | {field: text}, text=True)[1],
        ):
            assert list(problems) == [field]
            assert problems[field].endswith(f", not {shown}")
        (reason,) = cleaned(as_text(values) | {field: text})[1]
        assert reason == f"{field} {problems[field]}"


@given(st.lists(any_values | plausible, min_size=1, max_size=6), st.booleans())
def test_reads_many_rows_at_once_as_each_alone(rows, text):
    rows = [as_text(row) for row in rows] if text else rows
    columns = {name: [row.get(name) for row in rows] for name in FIELDS}
    read, problems = read_columns(columns, len(rows), text=text, priced=False)
    for at, row in enumerate(rows):
        stone, expected = parsed(row, text=text)
        assert {each.field: each.detail for each in problems.get(at, [])} == expected
        if stone is not None:
            assert DiamondTable(read[at : at + 1]).diamond(0) == stone


odd_texts = st.text("0123456789.eE+-_ x\x00\n\t\uff11\u0661naifty", max_size=7)


@settings(max_examples=300)
@given(
    st.sampled_from([*FIELDS]),
    odd_texts | st.sampled_from(["nan", "inf", "-inf", "infinity", "1_0", "0x1", "1e", "1,1"]),
)
def test_takes_the_same_texts_for_numbers_and_grades(field, written):
    """Whatever text stands in a field: what a query, a cell and a column of cells make of it."""
    values = as_text(MEASURED) | {field: written}
    stone, problems = parsed(values, text=True)
    assert set(problems) <= {field, "depth", "carat"}
    assert read_among_others(values, text=True) == (stone, problems)
    assert cleaned(values) == (stone, tuple(f"{name} {each}" for name, each in problems.items()))
    if field in NUMBERS:
        stone, problems = parsed(MEASURED | {field: written}, text=False)
        assert stone is None
        assert list(problems) == [field]
        columns = {name: [value] * 2 for name, value in MEASURED.items()}
        columns[field] = [written, "1.5"]
        _, of_rows = read_columns(columns, 2, text=False, priced=False)
        assert [each.detail for each in of_rows[0]] == [problems[field]]
        assert [each.detail for each in of_rows[1]] == [
            problems[field].rpartition(", not ")[0] + ", not '1.5': write the number without quotes"
        ]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value",
    [True, False, float("nan"), float("inf"), 10**400, "", "x", "1", [], [1], {}, b"1", object],
    ids=repr,
)
def test_refuses_other_types_in_the_same_words(field, value):
    values = MEASURED | {field: value}
    stone, problems = parsed(values, text=False)
    assert stone is None
    assert list(problems) == [field]
    assert read_among_others(values, text=False) == (None, problems)


@pytest.mark.parametrize("field", OPTIONAL)
@pytest.mark.parametrize("value", [None, "", "  ", "\t"])
def test_takes_what_is_blank_for_unknown_in_text(field, value):
    values = as_text(GOOD) | {field: value}
    stone, problems = parsed(values, text=True)
    assert problems == {}
    assert getattr(stone, field) is None
    assert read_among_others(values, text=True) == (stone, {})
    assert cleaned(values) == (stone, ())


def test_names_what_is_no_field():
    _, problems = parsed(MEASURED | {"weight": 1, "price": 5000}, text=False)
    assert list(problems) == ["weight", "price"]
    assert problems["weight"].startswith("is not a field of a diamond; the fields are carat, cut")
