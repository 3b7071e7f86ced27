"""How much time and memory does a training take, and how do they grow with the data?

    python benchmarks/training_size.py [--stones 54000 250000 1000000] [--family linear xgboost]
        [--format parquet csv] [--profile FILE]

Makes files of stones: the bundled ones, redrawn with noise on size, proportions and price, so that
nearly all are distinct. Trains on each with ``diamond train`` in a process and a home of its own.
Shows elapsed seconds, seconds of the processor, peak memory of that process and the error on the
hold-out. ``--profile`` writes what cProfile saw in the last training.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from diamond_adapters.sources.bundled import bundled_source
from diamond_core import DiamondTable
from diamond_core.stones.fields import FIELDS, GRADED, GRADES
from diamond_core.use_cases.read_stones import read_stones

COLUMNS = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z", "price")
AT_ONCE = 500_000


def redrawn(stones: DiamondTable, count: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the columns of *count* stones: drawn ones, a little larger or smaller."""
    drawn = stones.rows[random.integers(0, len(stones), count)]
    size = np.exp(random.normal(0.0, 0.01, count))
    flatness = np.exp(random.normal(0.0, 0.003, count))
    carat = np.round(drawn["carat"] * size**3, 2)
    columns = {
        "carat": carat,
        "depth": np.round(drawn["depth"] * flatness, 1),
        "table": np.round(drawn["table"] + random.normal(0.0, 0.5, count)),
        "x": np.round(drawn["x"] * size, 2),
        "y": np.round(drawn["y"] * size, 2),
        "z": np.round(drawn["z"] * size * flatness, 2),
        # the price grows with the weight, and two equal stones do not cost the same
        "price": np.round(
            drawn["price"]
            * (carat / drawn["carat"]) ** 1.7
            * np.exp(random.normal(0.0, 0.05, count))
        ),
    }
    for name in GRADED:
        columns[name] = np.array(GRADES[name].grades)[drawn[name]]
    return {name: columns[name] for name in COLUMNS}


def batches(count: int):
    """Yield the columns of *count* stones, some at a time; the same ones in every run."""
    random = np.random.default_rng(0)
    stones, _ = read_stones([bundled_source()])
    table = stones.table
    complete = np.all([table.known(name) for name in FIELDS if name in COLUMNS], axis=0)
    for start in range(0, count, AT_ONCE):
        yield redrawn(table[complete], min(AT_ONCE, count - start), random)


def write(path: Path, count: int) -> None:
    """Write *count* stones as CSV or Parquet, as the name of the file says."""
    if path.suffix == ".csv":
        with path.open("w") as file:
            print(",".join(COLUMNS), file=file)
            for columns in batches(count):
                for row in zip(*(each.tolist() for each in columns.values()), strict=True):
                    print(",".join(map(str, row)), file=file)
        return

    def arrow(values: np.ndarray) -> Array:
        if values.dtype.kind == "f":
            return Array(values, DataType.float64())
        return Array(values.tolist(), DataType.string())

    tables = (
        Table.from_pydict({name: arrow(values) for name, values in columns.items()})
        for columns in batches(count)
    )
    first = next(tables)
    rest = [batch for table in tables for batch in table.to_batches()]
    write_parquet(Table.from_batches([*first.to_batches(), *rest]), path)


def train(path: Path, family: str, home: Path, profile: str | None) -> dict[str, float]:
    """Train on the file at *path*; return what it took."""
    profiler = ["-m", "cProfile", "-o", profile] if profile else []
    command = [sys.executable, *profiler, "-m", "diamond_app"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "train", str(path), "--family", family, "--json"],
        env=os.environ | {"DIAMOND_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the training failed: {status}")
    (model,) = json.loads(output)["models"]
    return {
        "elapsed": time.perf_counter() - started,
        "processor": used.ru_utime + used.ru_stime,
        "gigabytes": used.ru_maxrss * 1024 / 1e9,
        "mae": model["metrics"]["mae"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stones", type=int, nargs="+", default=[54_000, 250_000, 1_000_000])
    parser.add_argument("--family", nargs="+", default=["linear", "xgboost"])
    parser.add_argument("--format", nargs="+", default=["parquet"], choices=["parquet", "csv"])
    parser.add_argument("--folder", type=Path, help="keep the files of stones here")
    parser.add_argument("--profile", help="the file of a profile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print("   stones   format   family  elapsed  processor  memory      MAE")
        for count in options.stones:
            for kind in options.format:
                path = (options.folder or Path(temporary)) / f"{count}.{kind}"
                if not path.exists():
                    write(path, count)
                for family in options.family:
                    home = Path(tempfile.mkdtemp(dir=temporary))
                    took = train(path, family, home, options.profile)
                    print(
                        f"{count:9,}  {kind:>7}  {family:>7}  {took['elapsed']:6.1f}s"
                        f"  {took['processor']:8.1f}s  {took['gigabytes']:4.2f}GB  {took['mae']:7.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
