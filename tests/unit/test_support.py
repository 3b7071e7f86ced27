import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond, DiamondTable
from diamond_core.models.support import ENOUGH, OPEN_SIDE, Support, effects_of
from diamond_core.testing import some_stones

EFFECTS = {"carat": 1.9, "cut": 0.03, "color": 0.08, "clarity": 0.12}
SOFTNESS, STEP = 0.015, 0.08

stones = st.builds(
    Diamond,
    # no weight is so near to one of the grid that its share is nothing but rounding
    carat=st.integers(0, 250).map(lambda tenth: 0.5 * float(np.exp(STEP * (tenth + 0.5) / 10))),
    cut=st.sampled_from(Cut),
    color=st.sampled_from(Color),
    clarity=st.sampled_from(Clarity),
)

ENDS = [
    Diamond(carat=carat, cut=Cut.GOOD, color=Color.G, clarity=Clarity.VS2) for carat in (0.5, 4.0)
]


def shares(stone):
    """Return the weights of the grid around a stone's, and its share in each."""
    exact = float(np.log(stone.carat / 0.5)) / STEP
    below = int(np.floor(exact))
    above = round(exact - below, 9)
    return {below: 1.0 - above, below + 1: above}


def steps_between(place, stone, other_place, other):
    """Return the steps from *other* to *stone* along each axis, in log price."""
    steps = {"carat": STEP * (place - other_place)}
    for name, grades in (("cut", Cut), ("color", Color), ("clarity", Clarity)):
        order = list(grades)
        steps[name] = order.index(getattr(stone, name)) - order.index(getattr(other, name))
    return [steps[name] * EFFECTS[name] for name in EFFECTS]


def plain_gap(stone, known, without=()):
    """Return the gap by its definition: a loop over all known stones, for each cell and side."""
    gap = 0.0
    for place, share in shares(stone).items():
        for side in (1, -1):
            soft = 0.0
            for other in known:
                for other_place, part in shares(other).items():
                    if not part:
                        continue
                    steps = [
                        side * each for each in steps_between(place, stone, other_place, other)
                    ]
                    if any(step < -1e-9 for step in steps):
                        continue
                    if other in without and sum(steps) < 1e-9:
                        continue  # its part of this cell
                    soft += part * np.exp(-sum(steps) / SOFTNESS)
            side_gap = max(SOFTNESS * np.log(ENOUGH / soft), 0.0) if soft > 1e-300 else OPEN_SIDE
            gap += share * side_gap
    return gap


@given(st.lists(stones, max_size=12), st.lists(stones, min_size=1, max_size=5))
def test_measures_the_gap_between_the_known_stones_of_both_sides(known, asked):
    known = [*ENDS, *known]
    support = Support(DiamondTable.from_diamonds(known), EFFECTS)
    found = support.gaps(DiamondTable.from_diamonds(asked))
    np.testing.assert_allclose([support.gap(stone) for stone in asked], found, atol=1e-12)
    np.testing.assert_allclose(found, [plain_gap(stone, known) for stone in asked], atol=1e-6)


@given(st.lists(stones, min_size=1, max_size=8))
def test_measures_a_known_stone_without_its_own_part(known):
    known = [*ENDS, *known]
    found = Support(table := DiamondTable.from_diamonds(known), EFFECTS).gaps_without(table)
    wanted = [plain_gap(stone, known, without=[stone]) for stone in known]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_stone_is_seen_where_one_of_its_grades_has_about_its_weight():
    known = [*ENDS, Diamond(carat=1.0, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)]
    support = Support(DiamondTable.from_diamonds(known), EFFECTS)
    asked = [
        Diamond(carat=carat, cut=Cut.IDEAL, color=color, clarity=Clarity.IF)
        for carat, color in (
            *((carat, Color.D) for carat in (1.0, 1.08, 0.93, 1.18, 0.85)),
            (1.0, Color.E),
        )
    ]
    seen = [True, True, True, False, False, False]
    assert [support.is_seen(stone) for stone in asked] == seen
    assert support.are_seen(DiamondTable.from_diamonds(asked)).tolist() == seen


@pytest.mark.parametrize("factor", [0.5, 0.99, 1.0, 2.0])
def test_a_stone_at_the_end_of_the_grid_has_a_gap(factor):
    support = Support(DiamondTable.from_diamonds(ENDS), EFFECTS)
    stone = Diamond(carat=4.0 * factor, cut=Cut.GOOD, color=Color.G, clarity=Clarity.VS2)
    assert 0.0 <= support.gap(stone) == pytest.approx(plain_gap(stone, ENDS), abs=1e-6)


def test_learns_what_a_step_adds():
    table = some_stones(3000, noise=0.02)
    effects = effects_of(table)
    better = table.rows_of_today()
    better["clarity"] = np.minimum(better["clarity"] + 1, 7)
    assert effects["carat"] == pytest.approx(1.7, abs=0.3)
    assert 0.02 < effects["clarity"] < 0.4


def test_no_effect_is_below_zero():
    table = some_stones(400).rows_of_today()
    table["price"] = 5000.0
    assert effects_of(DiamondTable(table)) == {
        "carat": 0.5,
        "cut": 0.01,
        "color": 0.01,
        "clarity": 0.01,
    }


def test_is_made_from_one_stone():
    (stone,) = some_stones(1)
    support = Support(table := DiamondTable.from_diamonds([stone]), effects_of(some_stones(1)))
    assert np.isfinite(support.gaps(table)).all()
    assert support.carats == (stone.carat / 2, stone.carat * 2)
