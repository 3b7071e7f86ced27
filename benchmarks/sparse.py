"""Do price ranges still contain the prices where stones were kept from the training on purpose?

    python benchmarks/sparse.py [--family linear] [--stones 0]

Trains a family without a search on the training side of the bundled stones, without all stones of
some kind, and prices just these. Shows the share of prices inside the 90 % ranges and the median
width (high / low): without the gaps of ``models/support.py``, and with them; then the share that
is flagged as a combination that was not seen. 'nothing' and the last rows keep no kind out: they
are ordinary trainings, scored on the hold-out. ``--stones`` limits the training to a sample.
"""

from __future__ import annotations

import argparse

import numpy as np

from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.families.xgboost.family import XGBoostFamily
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import PriceRanges, no_progress
from diamond_core.models.support import FEW, REACH, Support, effects_of
from diamond_core.stones.fields import GRADES
from diamond_core.stones.holdout import in_holdout
from diamond_core.use_cases.read_stones import read_stones

FAMILIES = {"linear": LinearFamily, "xgboost": XGBoostFamily}


def kinds_of(table):
    """Return what is kept out, by name: whether each stone is of the kind."""
    grades = {name: table.column(name).astype(int) for name in ("cut", "color", "clarity")}
    carat, color, clarity = table.carat, grades["color"], grades["clarity"]
    kinds = {f"above {weight:g} ct": carat > weight for weight in (2.0, 1.5, 1.2)}
    kinds |= {f"below {weight:g} ct": carat < weight for weight in (0.3, 0.4)}
    for first, second in (("color", "clarity"), ("cut", "color"), ("cut", "clarity")):
        some = np.zeros(len(table), dtype=bool)
        sizes = len(GRADES[first].grades), len(GRADES[second].grades)
        for a, b in np.random.default_rng(0).integers(0, sizes, (6, 2)):
            some |= (grades[first] == a) & (grades[second] == b)
        kinds[f"6 pairs of {first} and {second}"] = some
    kinds["D, E with VVS1, IF"] = (color >= 5) & (clarity >= 6)
    kinds["above 1.2 ct with VS1 or better"] = (carat > 1.2) & (clarity >= 4)
    for name, field in GRADES.items():
        if field.required:
            for number in (0, len(field.grades) - 1):
                kinds[f"all of {name} {field.grades[number]}"] = grades[name] == number
    return kinds


def show(family, name, training, asked):
    fitted = FAMILIES[family]().fit(
        training, seed=0, trials=0, weights=None, study=None, progress=no_progress
    )
    support = Support(training, effects_of(training))
    ranges = PriceRanges.calibrate(
        training, fitted.out_of_fold, fitted.out_of_fold_four_cs, fitted.features, support=support
    )
    asked = asked[~support.refused(asked.carat)]
    prices, gaps = fitted.model.price(asked), support.gaps(asked)
    found = []
    for each in (0.0, gaps):
        low, high = ranges.of_table(asked, prices, each)
        inside = (low <= asked.price) & (asked.price <= high)
        found.append(f"{inside.mean():>9.1%}{np.median(high / low):>7.2f}")
    flagged = (gaps >= ranges.usual_gap + FEW).mean()
    print(f"{name:34}{len(asked):>7,}{''.join(found)}{flagged:>10.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--family", choices=FAMILIES, default="linear")
    parser.add_argument("--stones", type=int, default=0, help="training stones; 0 is all")
    options = parser.parse_args()
    table = read_stones([bundled_source()])[0].table
    held_out = in_holdout(table)
    holdout, training = table[held_out], table[~held_out]
    some = np.random.default_rng(0).permutation(len(training))
    drawn = np.isin(np.arange(len(training)), some[: options.stones or len(training)])
    print(
        f"{'kept out':34}{'priced':>7}{'covered':>9}{'width':>7}{'gaps':>9}{'width':>7}{'flagged':>10}"
    )
    for name, kind in kinds_of(training).items():
        known = training[drawn & ~kind]
        show(
            options.family,
            name,
            known,
            training[kind & (training.carat < known.carat.max() * REACH)],
        )
    show(options.family, "nothing", training[drawn], holdout)
    for size in (4000, 1000, 300):
        show(options.family, f"all but {size:,} stones", training[some[:size]], holdout)


if __name__ == "__main__":
    main()
