import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond, DiamondTable
from diamond_core.models.support import ENOUGH, OPEN_SIDE, Support, effects_of
from diamond_core.testing import some_stones

EFFECTS = {"carat": 1.9, "cut": 0.03, "color": 0.08, "clarity": 0.12}
SOFTNESS = 0.02

stones = st.builds(
    Diamond,
    # weights of the grid, so that the plain computation below has the same
    carat=st.integers(0, 100).map(lambda step: 0.5 * float(np.exp(0.02 * step))),
    cut=st.sampled_from(Cut),
    color=st.sampled_from(Color),
    clarity=st.sampled_from(Clarity),
)

ENDS = [
    Diamond(carat=carat, cut=Cut.GOOD, color=Color.G, clarity=Clarity.VS2)
    for carat in (0.5, 0.5 * float(np.exp(2.0)))
]


def difference(stone, other):
    """Return the steps from *other* to *stone* along each axis, in log price."""
    steps = {"carat": np.log(stone.carat / other.carat)}
    for name, grades in (("cut", Cut), ("color", Color), ("clarity", Clarity)):
        order = list(grades)
        steps[name] = order.index(getattr(stone, name)) - order.index(getattr(other, name))
    return [steps[name] * EFFECTS[name] for name in EFFECTS]


def plain_gap(stone, known):
    """Return the gap by its definition: a loop over all known stones, for each side."""
    gap = 0.0
    for side in (1, -1):
        soft = 0.0
        for other in known:
            steps = [side * step for step in difference(stone, other)]
            if all(step > -1e-9 for step in steps):
                soft += np.exp(-sum(steps) / SOFTNESS)
        gap += max(SOFTNESS * np.log(ENOUGH / soft), 0.0) if soft > 1e-300 else OPEN_SIDE
    return gap


@given(st.lists(stones, max_size=12), st.lists(stones, min_size=1, max_size=5))
def test_measures_the_gap_between_the_known_stones_of_both_sides(known, asked):
    known = [*ENDS, *known]
    support = Support(DiamondTable.from_diamonds(known), EFFECTS)
    found = support.gaps(DiamondTable.from_diamonds(asked))
    assert [support.gap(stone) for stone in asked] == found.tolist()
    np.testing.assert_allclose(found, [plain_gap(stone, known) for stone in asked], atol=1e-6)


@given(st.lists(stones, min_size=1, max_size=8))
def test_measures_a_known_stone_as_if_it_were_not_known(known):
    known = [*ENDS, *known]
    found = Support(table := DiamondTable.from_diamonds(known), EFFECTS).gaps_without(table)
    wanted = [plain_gap(stone, [each for each in known if each != stone]) for stone in known]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


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
