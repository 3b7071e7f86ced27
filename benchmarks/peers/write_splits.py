"""Write the splits that ``inversions.py`` compares on, for programs in other environments.

    python benchmarks/peers/write_splits.py FOLDER [--rows 5000] [--splits 5]

``FOLDER/0/training.csv`` and ``test.csv`` are the first split, with the columns of the bundled data.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from inversions import sample_of, splits_of

from diamond_core.stones.fields import FIELDS, GRADES


def write(path, stones):
    """Write the stones as CSV; unknown numbers are empty."""
    columns = []
    for name in (*FIELDS, "price"):
        values = stones.column(name)
        names = GRADES[name].names if name in GRADES else None
        columns.append([_cell(value, names) for value in values.tolist()])
    lines = [",".join((*FIELDS, "price")), *map(",".join, zip(*columns, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(value, names):
    if names is not None:
        return str(names[value])
    return "" if np.isnan(value) else repr(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    table = sample_of(options.rows)
    for number, (training, test) in enumerate(splits_of(len(table), options.splits)):
        folder = options.folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "training.csv", table[training])
        write(folder / "test.csv", table[test])


if __name__ == "__main__":
    main()
