"""Price ranges hold where stones were kept from the training on purpose; see benchmarks/sparse.py."""

from __future__ import annotations

import numpy as np
import pytest

from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import Evaluation, PriceRanges, in_holdout, no_progress
from diamond_core.models.support import FEW, Support, effects_of
from diamond_core.use_cases.read_stones import read_stones


@pytest.fixture(scope="module")
def stones():
    table = read_stones([bundled_source()])[0].table
    return table[~in_holdout(table)]


def above_two_carats(stones):
    return stones.carat > 2.0


def pairs_of_color_and_clarity(stones):
    color, clarity = stones.column("color"), stones.column("clarity")
    found = np.zeros(len(stones), dtype=bool)
    for pair in ((0, 1), (2, 3), (3, 5), (5, 5), (6, 4)):
        found |= (color == pair[0]) & (clarity == pair[1])
    return found


def the_best_colors_and_clarities(stones):
    return (stones.column("color") >= 5) & (stones.column("clarity") >= 6)


@pytest.mark.parametrize(
    ("kind", "narrow", "flagged"),
    [
        (above_two_carats, 0.8, 0.7),
        (pairs_of_color_and_clarity, 0.8, 0.0),
        (the_best_colors_and_clarities, 0.7, 1.0),
    ],
)
def test_ranges_hold_for_stones_whose_like_was_kept_out(stones, kind, narrow, flagged):
    kept_out = kind(stones)
    known, asked = stones[~kept_out], stones[kept_out]
    fitted = LinearFamily().fit(
        known, seed=0, trials=0, weights=None, study=None, progress=no_progress
    )
    support = Support(known, effects_of(known))
    ranges = PriceRanges.calibrate(
        known, fitted.out_of_fold, fitted.out_of_fold_four_cs, fitted.features, support=support
    )
    asked = asked[~support.refused(asked.carat)]
    prices, gaps = fitted.model.price(asked), support.gaps(asked)

    assert Evaluation.of(asked, prices, ranges, gaps).covered.mean() >= 0.9
    assert Evaluation.of(asked, prices, ranges).covered.mean() < narrow
    assert (gaps >= ranges.usual_gap + FEW).mean() >= flagged
