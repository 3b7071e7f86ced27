"""How do time and memory grow with the number of stones, step by step?

    python benchmarks/scale.py [--stones 50000 1000000 10000000] [--folder FOLDER]

Makes Parquet files of stones as ``training_size.py`` does. For each, in a process of its own: reads
the file, cleans it, splits it by the hash of each stone, trains the linear family, saves the model, looks up
similar stones; then ``diamond predict`` prices the file on all cores. Prints seconds, and the greatest
memory of the process by the end of each step. A slope is the exponent b of time = a * stones^b between two
sizes: 1 is proportional.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
from training_size import write

from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.sources.file_source import FileSource
from diamond_core import ModelHistory, SimilarStones, no_progress
from diamond_core.testing import a_card
from diamond_core.use_cases.training_split import TrainingSplit
from diamond_core.use_cases.training_stones import TrainingStones

STEPS = ("read", "read and clean", "split", "train", "save", "look up", "price in bulk")
LOOKUPS = 1000


def gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(path: Path, home: Path) -> dict[str, tuple[float, float]]:
    """Return the seconds and the memory of each step but the last."""
    took: dict[str, tuple[float, float]] = {}

    def timed(step, work):
        began = time.perf_counter()
        made = work()
        took[step] = time.perf_counter() - began, gigabytes()
        return made

    def read():
        for _ in FileSource.from_path(path).read():
            pass

    timed("read", read)
    stones = timed(
        "read and clean",
        lambda: TrainingStones.from_sources([FileSource.from_path(path)], date(2026, 1, 1)),
    )
    split = timed("split", lambda: TrainingSplit.of(stones))
    options = {"trials": None, "weights": None, "study": None, "progress": no_progress}
    fitted = timed("train", lambda: LinearFamily().fit(split.training, seed=42, **options))
    history = ModelHistory(FilesystemModelRepository(home), OnnxModel)
    card = timed("save", lambda: history.publish(a_card("scale-1"), fitted, split.training))
    similar = SimilarStones(history.samples(card))
    chosen = split.holdout[np.linspace(0, len(split.holdout) - 1, LOOKUPS).astype(int)]

    def look_up():
        for at in range(LOOKUPS):
            similar.nearest(chosen.diamond(at), 5)

    timed("look up", look_up)
    seconds, memory = took["look up"]
    took["look up"] = seconds / LOOKUPS, memory
    return took


def price_in_bulk(path: Path, home: Path) -> tuple[float, float]:
    """Return the seconds, and the memory of the largest process, of ``diamond predict``."""
    command = [sys.executable, "-m", "diamond_app"]
    environment = os.environ | {"DIAMOND_HOME": str(home)}
    train = [*command, "train", "--family", "linear"]
    subprocess.run(train, env=environment, check=True, capture_output=True)
    output = str(home / "priced.parquet")
    began = time.perf_counter()
    predict = [*command, "predict", str(path), "--output", output]
    process = subprocess.Popen(predict, env=environment, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"the pricing failed: {status}")
    Path(output).unlink()
    return seconds, used.ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stones", type=int, nargs="+", default=[50_000, 1_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path, help="keep the files of stones here")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.measure:
            print(json.dumps(measure(options.measure, folder / "home")))
            return
        if options.write:
            write(options.write, options.stones[0])
            return
        sizes = sorted(options.stones)
        found = {}
        for size in sizes:
            path = (options.folder or folder) / f"{size}.parquet"
            if not path.exists():  # a process begins with the memory of the one that starts it
                command = [sys.executable, __file__, "--write", str(path), "--stones", str(size)]
                subprocess.run(command, check=True)
            command = [sys.executable, __file__, "--measure", str(path)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[size] = json.loads(done.stdout)
            found[size]["price in bulk"] = price_in_bulk(path, folder / f"home-{size}")
        print_table(sizes, found)


def print_table(sizes, found) -> None:
    slopes = [f"slope {small:,} to {large:,}" for small, large in pairwise(sizes)]
    print(f"| | {' | '.join([*(f'{size:,} stones' for size in sizes), *slopes])} |")
    print(f"|{'---|' * (1 + len(sizes) + len(slopes))}")
    for step in STEPS:
        cells = []
        for size in sizes:
            seconds, memory = found[size][step]
            shown = f"{seconds * 1e6:.0f} us" if step == "look up" else f"{seconds:.2f} s"
            cells.append(f"{shown}, {memory:.2f} GB")
        for small, large in pairwise(sizes):
            ratio = found[large][step][0] / found[small][step][0]
            cells.append(f"{math.log(ratio) / math.log(large / small):.2f}")
        print(f"| {step} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
