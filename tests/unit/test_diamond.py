import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond, InvalidDiamond
from diamond_core.stones.fields import FIELDS, GRADES, NUMBERS, OPTIONAL, REQUIRED

GOOD = {"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"}
MEASURED = GOOD | {"depth": 61.5, "table": 57, "x": 6.6, "y": 6.6, "z": 4.06}


def problems_of(values, **options):
    with pytest.raises(InvalidDiamond) as caught:
        Diamond.parse(values, **options)
    return {problem.field: problem.detail for problem in caught.value.problems}


def test_is_built_from_plain_values():
    stone = Diamond.parse(MEASURED)
    assert stone == Diamond(
        carat=1.1,
        cut=Cut.IDEAL,
        color=Color.H,
        clarity=Clarity.SI2,
        depth=61.5,
        table=57.0,
        x=6.6,
        y=6.6,
        z=4.06,
    )
    assert stone.unknown == []


def test_counts_what_is_null_or_left_out_as_unknown():
    assert Diamond.parse(GOOD).unknown == list(OPTIONAL)
    assert Diamond.parse(GOOD | {"depth": None, "x": 6.6}).unknown == ["depth", "table", "y", "z"]


@pytest.mark.parametrize(
    "text", ["Very Good", "very good", " VERY  GOOD ", "very-good", "verygood"]
)
def test_reads_grades_in_any_case_and_spacing(text):
    assert Diamond.parse(GOOD | {"cut": text, "color": "h", "clarity": "si2"}).cut is Cut.VERY_GOOD


def test_orders_grades_from_worst_to_best():
    cuts, colors, clarities = (GRADES[name].grades for name in ("cut", "color", "clarity"))
    assert (cuts[0], cuts[-1]) == ("Fair", "Ideal")
    assert [color.value for color in Color] == list("JIHGFED")
    assert colors == tuple(Color)
    assert (clarities[0], clarities[-1]) == ("I1", "IF")
    assert GRADES["clarity"].numbers[Clarity.SI1] == GRADES["clarity"].numbers["SI1"] == 2


@pytest.mark.parametrize("kind", [Decimal, Fraction, np.float64, np.float32, np.int64, int])
def test_takes_any_numbers_as_floats(kind):
    grades = {"cut": Cut.IDEAL, "color": Color.H, "clarity": Clarity.SI2}
    plain = {"carat": 1.0, "depth": 50.0, "table": 57.0, "x": 6.0, "y": 6.0, "z": 3.0}
    numbers = {name: kind(value) for name, value in plain.items()}
    stone = Diamond(**numbers, **grades)
    assert stone == Diamond(**plain, **grades) == Diamond.parse(numbers | grades)
    assert json.loads(json.dumps(vars_of(stone))) == {**plain, **grades}
    np.testing.assert_array_equal(stone.features(), Diamond(**plain, **grades).features())
    with pytest.raises(InvalidDiamond, match="depth: 80 % contradicts"):
        Diamond(**numbers | {"depth": kind(80)}, **grades)
    with pytest.raises(InvalidDiamond, match=r"carat: must be the weight in .*, not 0"):
        Diamond(**numbers | {"carat": kind(0)}, **grades)


def test_names_every_wrong_field_at_once():
    problems = problems_of({"carat": -1, "cut": "Idol", "color": 3, "depth": "deep", "weight": 2})
    assert set(problems) == {"carat", "cut", "color", "clarity", "depth", "weight"}
    assert "Fair, Good, Very Good, Premium, Ideal" in problems["cut"]
    assert "missing" in problems["clarity"]
    assert "SI2" in problems["clarity"]
    assert "-1" in problems["carat"]


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize(
    "value",
    [0, -0.0, -1, 1e-46, 1e9, float("inf"), float("nan"), 10**400, -(10**5000), True, "1", [1], {}],
    ids=range(13),
)
def test_refuses_impossible_numbers(field, value):
    assert set(problems_of(GOOD | {field: value})) == {field}


@pytest.mark.parametrize("field", ["cut", "color", "clarity"])
@pytest.mark.parametrize("value", ["", "?", 1, True, ["Ideal"], {"a": 1}, "x" * 500], ids=str)
def test_refuses_unknown_grades(field, value):
    (detail,) = problems_of(GOOD | {field: value}).values()
    assert len(detail) < 200


def test_refuses_a_depth_that_contradicts_the_measured_one():
    problems = problems_of(MEASURED | {"z": 2.0})
    assert set(problems) == {"depth"}
    assert "30.3 %" in problems["depth"]


def test_names_a_contradiction_beside_what_is_no_field():
    assert list(problems_of(MEASURED | {"z": 2.0, "weight": 1})) == ["depth", "weight"]
    assert list(problems_of(MEASURED | {"z": 0, "weight": 1})) == ["z", "weight"]


def test_reads_numbers_as_text_only_where_asked_to():
    texts = {name: str(value) for name, value in MEASURED.items()}
    assert Diamond.parse(texts, text=True) == Diamond.parse(MEASURED)
    assert "carat" in problems_of(texts)
    assert Diamond.parse(texts | {"carat": "1,1", "table": " 57,0"}, text=True).carat == 1.1
    assert problems_of(texts | {"carat": "1,100"}, text=True)  # or is it eleven hundred?
    assert problems_of(texts | {"carat": "1,1,1"}, text=True)
    assert Diamond.parse(texts | {"z": ""}, text=True).z is None


def vars_of(stone):
    return {name: getattr(stone, name) for name in FIELDS}


def test_cannot_be_built_wrong_by_hand_either():
    with pytest.raises(InvalidDiamond) as caught:
        Diamond(carat=0, cut="Ideal", color=Color.H, clarity=Clarity.SI2, x=-1)
    assert {problem.field for problem in caught.value.problems} == {"carat", "cut", "x"}
    with pytest.raises(InvalidDiamond, match=r"depth: 61\.5 % contradicts"):
        Diamond(**{**vars_of(Diamond.parse(MEASURED)), "z": 2.0})
    with pytest.raises(InvalidDiamond, match="carat: is missing"):
        Diamond(**{**vars_of(Diamond.parse(GOOD)), "carat": None})


@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "other"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.sampled_from(["Ideal", "H", "SI2"])
        | st.lists(st.integers(), max_size=2),
    )
)
def test_is_either_sound_or_refused_whatever_is_given(values):
    try:
        stone = Diamond.parse(values)
    except InvalidDiamond as ex:
        named = {problem.field for problem in ex.problems}
    else:
        named = set()
        assert set(values) >= set(REQUIRED)
        for name, field in NUMBERS.items():
            value = getattr(stone, name)
            assert value is None or field.minimum <= value <= field.maximum
    assert named <= {*FIELDS, "other"}


def test_gives_models_the_fields_that_they_ask_for():
    stone = Diamond.parse(MEASURED | {"depth": None})
    np.testing.assert_array_equal(
        stone.features(), np.array([[1.1, 4, 2, 1, np.nan, 57, 6.6, 6.6, 4.06]], dtype=np.float32)
    )
    assert stone.features().dtype == np.float32
    np.testing.assert_array_equal(
        stone.features(["clarity", "carat"]), np.array([[1, 1.1]], dtype=np.float32)
    )
    np.testing.assert_array_equal(stone.features(["color"]), [[2]])
    assert stone.features([]).shape == (1, 0)


@pytest.mark.parametrize(
    ("carat", "z", "fits"),
    [
        (1.1, 9.0, False),
        (1.1, 4.06, True),
        (0.3, 4.06, False),
        (2.2, 4.06, False),
        (0.8, 4.06, True),
    ],
)
def test_refuses_a_weight_that_the_measurements_make_impossible(carat, z, fits):
    values = {"carat": carat, "cut": "Ideal", "color": "H", "clarity": "SI2"}
    values |= {"x": 6.6, "y": 6.6, "z": z}
    if fits:
        assert Diamond.parse(values).z == z
        return
    with pytest.raises(InvalidDiamond, match=r"carat: .* ct contradicts x, y and z"):
        Diamond.parse(values)
