"""How often is a better stone cheaper, what does the order cost in accuracy, and how long is a price?

    python benchmarks/inversions.py [--rows 5000] [--splits 5] [--trials 100] [--graph NAME=FILE]
                                    [--peers FOLDER]

Trains both families with their default parameters on the training side of the bundled stones, and
counts the steps to a better stone that lower the price: from the 4 Cs on the whole grid of weights
(0.20 to 5.00 ct in steps of 0.01) and grades, and for the hold-out with its measurements. ``--graph``
counts them in another model, such as ``model.onnx`` of an earlier release.

Then it draws one sample of *rows* stones, splits it 80/20 in several ways, and compares the mean
absolute errors with the notebook's procedure (see ``training.py``) on the same splits, with the
standard error of the differences, paired by stone. ``--trials 0`` leaves the notebook out;
``--peers`` adds the prices that other programs left for these splits, see ``peers/README.md``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import optuna
from sklearn.model_selection import train_test_split
from training import notebook

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.families.price_table import CARATS
from diamond_adapters.families.xgboost.family import XGBoostFamily
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import four_c_inversions, measured_inversions, no_progress
from diamond_core.stones.holdout import in_holdout
from diamond_core.use_cases.read_stones import read_stones

FAMILIES = {
    "linear": LinearFamily(),
    "xgboost": XGBoostFamily(),
    "xgboost, cut": XGBoostFamily(order_cut=True),
}


def fitted(name, table):
    trials = None if name == "linear" else 0
    return (
        FAMILIES[name]
        .fit(table, seed=0, trials=trials, weights=None, study=None, progress=no_progress)
        .model
    )


def microseconds(model, stone):
    """Return the time of one price: the fastest of some rounds, as the machine may be shared."""
    rounds = []
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(500):
            model.price(stone)
        rounds.append((time.perf_counter() - started) / 500)
    return min(rounds) * 1e6


def show(name, model, holdout):
    known, four_cs = (
        np.abs(model.price(table) - holdout.price).mean() for table in (holdout, holdout.four_cs())
    )
    from_four_cs = four_c_inversions(model.price, CARATS).values()
    measured = measured_inversions(model.price, holdout).values()
    shares = [f"{share:8.2%}" for share in (*from_four_cs, *measured)]
    each = [microseconds(model, next(iter(table))) for table in (holdout, holdout.four_cs())]
    print(
        f"{name:14}{known:8.1f}{four_cs:8.1f}  {''.join(shares)}{each[0]:8.0f}{each[1]:8.0f}",
        flush=True,
    )


def sample_of(rows):
    """Return a sample of the bundled stones, always the same."""
    table = read_stones([bundled_source()])[0].table
    return table[np.random.default_rng(0).permutation(len(table))[:rows]]


def splits_of(rows, splits):
    """Yield the positions of the training and of the test stones of each split, 80/20."""
    for seed in range(splits):
        yield train_test_split(np.arange(rows), test_size=0.2, random_state=seed)


def compare(table, splits, trials, peers):
    def prices_of(name, training, test, split):
        if name in FAMILIES:
            return fitted(name, training).price(test)
        if name == "notebook":
            return notebook(training, test, trials)
        return np.loadtxt(peers / str(split) / f"{name}.txt")

    errors = {name: [] for name in FAMILIES}
    if trials:
        errors["notebook"] = []
    if peers:
        errors |= {each.stem: [] for each in sorted((peers / "0").glob("*.txt"))}
    for split, (training, test) in enumerate(splits_of(len(table), splits)):
        for name, found in errors.items():
            prices = prices_of(name, table[training], table[test], split)
            found.append(np.abs(prices - table[test].price))
        print(f"  split {split}: " + _shown({name: each[-1] for name, each in errors.items()}))
    joined = {name: np.concatenate(each) for name, each in errors.items()}
    print("  mean:    " + _shown(joined))
    for other in (name for name in errors if name not in FAMILIES):
        for name in FAMILIES:
            gains = joined[name] - joined[other]
            ratio = joined[name].mean() / joined[other].mean()
            # a stone is in several test sets: its differences are one observation
            deviation = gains.std() / np.sqrt(min(len(gains), len(table)))
            print(f"  {name}: {ratio:.3f} of {other}; {gains.mean():+.1f} +- {deviation:.1f} USD")


def _shown(errors):
    return "  ".join(f"{name} {each.mean():.1f}" for name, each in errors.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000, help="stones of the sample")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--trials", type=int, default=100, help="trials of the notebook")
    parser.add_argument("--peers", type=Path, help="the folder of peers/write_splits.py")
    parser.add_argument("--graph", action="append", default=[], metavar="NAME=FILE")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    stones, _ = read_stones([bundled_source()])
    table = stones.table
    held_out = in_holdout(table)
    holdout = table[held_out]
    print(
        f"{'':14}{'MAE':>8}{'4 Cs':>8}  {'cheaper for better: 4 Cs':32}{'measured':24}{'us':>8}{'4 Cs':>8}"
    )
    print(
        f"{'':32}" + "".join(f"{each:>8}" for each in ("carat", *("cut", "color", "clarity") * 2))
    )
    for name, _, path in (each.partition("=") for each in options.graph):
        show(name, OnnxModel(Path(path).read_bytes(), FEATURES), holdout)
    for name in FAMILIES:
        show(name, fitted(name, table[~held_out]), holdout)
    print(f"\nMAE, {options.splits} splits of {options.rows:,} stones")
    compare(sample_of(options.rows), options.splits, options.trials, options.peers)


if __name__ == "__main__":
    main()
