"""Price the test stones of each split with AutoGluon's ``best_quality``, in its own environment.

    python autogluon_best.py FOLDER [--seconds 200]

Trains on the logarithm of the price, and leaves the prices in ``FOLDER/<split>/autogluon.txt``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor


def prices(folder: Path, seconds: int) -> np.ndarray:
    """Return the prices of the test stones of a split, after training for *seconds* at most."""
    training, test = (pd.read_csv(folder / f"{name}.csv") for name in ("training", "test"))
    training["price"] = np.log(training["price"])
    with tempfile.TemporaryDirectory() as models:
        predictor = TabularPredictor(
            "price", problem_type="regression", eval_metric="mean_absolute_error", path=models
        ).fit(
            training,
            presets="best_quality",
            time_limit=seconds,
            dynamic_stacking=False,  # its trial run alone can take longer than so short a limit
        )
        return np.exp(predictor.predict(test.drop(columns="price")).to_numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=200)
    options = parser.parse_args()
    for folder in sorted(each for each in options.folder.iterdir() if each.is_dir()):
        started = time.perf_counter()
        found = prices(folder, options.seconds)
        actual = pd.read_csv(folder / "test.csv")["price"].to_numpy()
        np.savetxt(folder / "autogluon.txt", found)
        error = np.abs(found - actual).mean()
        print(f"split {folder.name}: MAE {error:.1f}, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
