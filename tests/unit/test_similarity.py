import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from diamond_core import Clarity, Color, Cut, Diamond, DiamondTable, SimilarStones, sorted_samples
from diamond_core.testing import some_stones

CUTS = [Cut.FAIR, Cut.IDEAL]
WEIGHTS = [0.3, 0.5, 0.7, 0.71, 1.0, 1.01]


def stone(carat, cut=Cut.IDEAL, color=Color.D):
    return Diamond(carat=carat, cut=cut, color=color, clarity=Clarity.IF)


def by_a_full_sort(samples, asked, n):
    """The plain way: look at every stone, sort all of the group."""
    group = [
        (abs(known.carat - asked.carat), known.carat, position)
        for position, known in enumerate(samples)
        if (known.cut, known.color, known.clarity) == (asked.cut, asked.color, asked.clarity)
    ]
    return [position for _, _, position in sorted(group)[:n]], len(group)


@given(
    st.lists(st.tuples(st.sampled_from(WEIGHTS), st.sampled_from(CUTS)), max_size=40),
    st.floats(0.01, 2.0) | st.sampled_from(WEIGHTS),
    st.integers(1, 12),
)
def test_agrees_with_a_full_sort(known, carat, n):
    table = DiamondTable.from_diamonds(
        [stone(weight, cut) for weight, cut in known], range(1, len(known) + 1)
    )
    samples = sorted_samples(table)
    found = SimilarStones(samples).nearest(stone(carat), n)
    positions, available = by_a_full_sort(list(samples), stone(carat), n)
    np.testing.assert_array_equal(found.stones.price, samples.price[positions])
    assert found.available == available
    assert found.carat_differences == [
        round(samples.diamond(position).carat - carat, 6) for position in positions
    ]


def test_agrees_with_a_full_sort_on_many_stones():
    samples = sorted_samples(some_stones(3000))
    index = SimilarStones(samples)
    everything = list(samples)
    for asked in some_stones(40, seed=5):
        found = index.nearest(asked, 7)
        positions, available = by_a_full_sort(everything, asked, 7)
        np.testing.assert_array_equal(found.stones.rows, samples.rows[positions])
        assert found.available == available


def test_finds_nothing_in_an_empty_group():
    index = SimilarStones(sorted_samples(DiamondTable.from_diamonds([stone(1.0)], [1.0])))
    found = index.nearest(stone(1.0, color=Color.J), 5)
    assert (len(found.stones), found.available, found.carat_differences) == (0, 0, [])


def test_works_on_no_stones_at_all():
    assert SimilarStones(DiamondTable.concatenate([])).nearest(stone(1.0), 5).available == 0


def test_sorts_the_same_stones_the_same_in_any_order():
    table = some_stones(500)
    shuffled = table[np.random.default_rng(0).permutation(len(table))]
    np.testing.assert_array_equal(sorted_samples(table).rows, sorted_samples(shuffled).rows)


def test_prefers_no_price_among_stones_of_one_weight():
    table = DiamondTable.from_diamonds(
        [
            Diamond(carat=1.0, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF, table=50 + at / 10)
            for at in range(100)
        ],
        range(1, 101),
    )
    nearest = SimilarStones(sorted_samples(table)).nearest(stone(1.0), 10).stones.price
    assert 20 < nearest.mean() < 80
