"""What share of the prices is inside the price ranges that were learned from few stones?

    python benchmarks/price_ranges.py [--repeat 40]

Draws training sets of some sizes from the bundled data set, trains the linear family without a
search, and counts the hold-out prices inside the 90 % ranges: with scores from scales that do not
know the stone (the product), and from one scale that knows all of them.
"""

from __future__ import annotations

import argparse
from unittest.mock import patch

import numpy as np

from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import PriceRanges, no_progress
from diamond_core.models import error_scale
from diamond_core.models.support import Support, effects_of
from diamond_core.stones.holdout import in_holdout
from diamond_core.use_cases.read_stones import read_stones

SIZES = (80, 200, 800, 43_000)


def one_fold(table, count, seed):
    """Put all stones into one fold: their scores come from the scale that knows them."""
    return np.zeros(len(table), dtype=np.intp)


def coverage(training, holdout):
    """Train on the stones, and return the share of prices inside the ranges, both ways."""
    fitted = LinearFamily().fit(
        training, seed=0, trials=0, weights=None, study=None, progress=no_progress
    )
    prices = fitted.model.price(holdout)
    support, found = Support(training, effects_of(training)), []
    gaps = support.gaps(holdout)
    for folds in (error_scale.folds, one_fold):
        with patch.object(error_scale, "folds", folds):
            ranges = PriceRanges.calibrate(
                training,
                fitted.out_of_fold,
                fitted.out_of_fold_four_cs,
                fitted.features,
                support=support,
            )
        low, high = ranges.of_table(holdout, prices, gaps)
        inside = (low <= holdout.price) & (holdout.price <= high)
        found.append((float(inside.mean()), float(np.median(high / low))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=40, help="training sets of each small size")
    options = parser.parse_args()
    stones, _ = read_stones([bundled_source()])
    held_out = in_holdout(stones.table)
    training, holdout = stones.table[~held_out], stones.table[held_out]
    print(f"{'stones':>8}{'sets':>6}{'folds':>9}{'width':>8}{'one scale':>11}{'width':>8}")
    for size in SIZES:
        repeat = options.repeat if size < 10_000 else 1
        found = []
        for seed in range(repeat):
            drawn = np.random.default_rng(seed).choice(len(training), size, replace=False)
            found.append(coverage(training[drawn], holdout))
        (ours, width), (one, one_width) = np.mean(found, axis=0)
        print(f"{size:>8,}{repeat:>6}{ours:>9.1%}{width:>8.2f}{one:>11.1%}{one_width:>8.2f}")


if __name__ == "__main__":
    main()
