"""How much time and memory does a training take, and how do they grow with the data?

    python benchmarks/training_size.py [--stones 54000 250000 1000000] [--family linear xgboost]
        [--format parquet csv] [--profile FILE] [--cluster local:2]

Makes files of stones: the bundled ones, redrawn with noise on size, proportions and price, so that
nearly all are distinct. Trains on each with ``diamond train`` in a process and a home of its own.
Shows elapsed seconds, seconds of the processor, peak memory of that process and the error on the
hold-out. ``--profile`` writes what cProfile saw in the last training. ``--cluster local:2`` also trains
on a Dask cluster of so many worker processes with 2 GiB each, and shows the seconds of the processor of
all, the peak memory of each worker, and how far linear coefficients are from those of a training alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Dask imports a package `sparse` where there is one: not the benchmark of this name
sys.path = [each for each in sys.path if Path(each).absolute() != Path(__file__).parent.absolute()]

import joblib
import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from distributed import LocalCluster

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


def train(
    path: Path, family: str, home: Path, profile: str | None, *options: str
) -> dict[str, Any]:
    """Train on the file at *path*; return what it took."""
    profiler = ["-m", "cProfile", "-o", profile] if profile else []
    command = [sys.executable, *profiler, "-m", "diamond_app"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "train", str(path), "--family", family, "--json", *options],
        env=os.environ | {"DIAMOND_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=sys.stderr if options else subprocess.DEVNULL,
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
        "data": model["data"],
        "folder": home / "models" / model["id"],
    }


@contextmanager
def cluster(count: int) -> Iterator[LocalCluster]:
    """Yield a Dask cluster of *count* worker processes, each with 2 GiB and one thread."""
    with LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        memory_limit="2GiB",
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    ) as running:
        yield running


def of_workers(running: LocalCluster) -> list[tuple[float, float]]:
    """Return each worker's seconds of the processor and peak memory in gigabytes."""
    found = []
    for nanny in running.workers.values():
        process = Path("/proc") / str(nanny.pid)
        peak = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
        times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        found.append((sum(map(int, times)) / os.sysconf("SC_CLK_TCK"), int(peak[1]) * 1024 / 1e9))
    return found


def differences(alone: Path, spread: Path) -> float:
    """Return the largest relative difference of the coefficients of two linear models."""
    first, second = (joblib.load(each / "estimator.joblib").ordered_ for each in (alone, spread))
    pairs = [
        (first.measurements, second.measurements),
        (first.tables.values, second.tables.values),
        (first.design.medians_, second.design.medians_),
    ]
    return max(float(np.max(np.abs(a / b - 1.0))) for a, b in pairs)


def show(count: int, kind: str, family: str, took: dict[str, Any]) -> None:
    print(
        f"{count:9,}  {kind:>7}  {family:>7}  {took['elapsed']:6.1f}s"
        f"  {took['processor']:8.1f}s  {took['gigabytes']:4.2f}GB  {took['mae']:7.2f}",
        flush=True,
    )


def on_cluster(
    address: str, count: int, path: Path, family: str, alone: dict[str, Any], temporary: Path
) -> None:
    """Train on a cluster, and compare with the training *alone*."""
    home = Path(tempfile.mkdtemp(dir=temporary))
    with cluster(int(address.removeprefix("local:"))) as running:
        before = of_workers(running)
        spread = train(path, family, home, None, "--cluster", running.scheduler_address)
        after = of_workers(running)
    workers = [(used - idle, peak) for (idle, _), (used, peak) in zip(before, after, strict=True)]
    spread["processor"] += sum(used for used, _ in workers)
    show(count, address, family, spread)
    print(f"{'':11}memory of the workers: {', '.join(f'{peak:.2f}GB' for _, peak in workers)}")
    print(f"{'':11}same data and hold-out: {spread['data'] == alone['data']}")
    print(f"{'':11}error / error alone: {spread['mae'] / alone['mae']:.6f}")
    if family == "linear":
        largest = differences(alone["folder"], spread["folder"])
        print(f"{'':11}largest relative difference of a coefficient: {largest:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stones", type=int, nargs="+", default=[54_000, 250_000, 1_000_000])
    parser.add_argument("--family", nargs="+", default=["linear", "xgboost"])
    parser.add_argument("--format", nargs="+", default=["parquet"], choices=["parquet", "csv"])
    parser.add_argument("--folder", type=Path, help="keep the files of stones here")
    parser.add_argument("--profile", help="the file of a profile")
    parser.add_argument("--cluster", metavar="local:N", help="train on N worker processes, too")
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
                    show(count, kind, family, took)
                    if options.cluster:
                        on_cluster(options.cluster, count, path, family, took, Path(temporary))


if __name__ == "__main__":
    main()
