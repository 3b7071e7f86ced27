"""Does a lookup of similar stones cost more in ten million stones than in fifty thousand?

Looks up the same stones in two memory-mapped tables and prints microseconds per lookup and their
ratio. Give another size as an argument: ``python benchmarks/similarity.py 1000000``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from diamond_core import DiamondTable, SimilarStones, sorted_samples
from diamond_core.testing import some_stones

SMALL = 50_000
LOOKUPS, ROUNDS = 400, 9


def index(size: int, folder: Path) -> SimilarStones:
    """Return an index over *size* memory-mapped stones."""
    path = folder / f"{size}.npy"
    np.save(path, sorted_samples(some_stones(size)).rows)
    began = time.perf_counter()
    made = SimilarStones(DiamondTable(np.load(path, mmap_mode="r")))
    print(f"{size:>12,} stones: index opened in {(time.perf_counter() - began) * 1e3:.1f} ms")
    return made


def main() -> None:
    """Print both costs and their ratio."""
    large = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    wanted = list(some_stones(LOOKUPS, seed=1))
    with tempfile.TemporaryDirectory() as folder:
        indexes = {size: index(size, Path(folder)) for size in (SMALL, large)}
        costs: dict[int, list[float]] = {size: [] for size in indexes}
        for _ in range(ROUNDS):
            for size, each in indexes.items():
                began = time.perf_counter()
                for diamond in wanted:
                    each.nearest(diamond, 5)
                costs[size].append((time.perf_counter() - began) / LOOKUPS * 1e6)
        medians = {size: sorted(each)[ROUNDS // 2] for size, each in costs.items()}
        for size, cost in medians.items():
            print(f"{size:>12,} stones: {cost:.1f} us per lookup")
        print(f"ratio {medians[large] / medians[SMALL]:.2f} (to be below 2)")


if __name__ == "__main__":
    main()
