"""How many workers and threads are best, by requests per second and by the slowest answers?

    python benchmarks/workers.py [--home HOME] [--seconds 2] [--rounds 5] [--connections 1 16 64]

Serves the service with one to four workers, and the minimal app (see ``_minimal.py``) with gevent and
with gthread, and loads them in turn with prices from the 4 Cs. All serve the same champion.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from _load import ONE_STONE, load, table_row, train
from service import OURS, commands, served

WORKERS = (1, 2, 3, 4)
THREADS = (2, 4, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--home", type=Path, help="serve its champion; without it, one is trained")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        home = options.home or Path(name) / "home"
        if options.home is None:
            train(home, "xgboost")
        made, env = commands(home)
        threaded = made["minimal, gthread"]
        asked = [
            (f"{who}, {workers} workers", made[who], workers)
            for who in (OURS, "minimal, gevent")
            for workers in WORKERS
        ] + [
            (
                f"minimal, gthread, 2 workers, {threads} threads",
                (*threaded, "--threads", f"{threads}"),
                2,
            )
            for threads in THREADS
        ]
        servers = {
            who: stack.enter_context(served(home.parent, command, env, workers))
            for who, command, workers in asked
        }
        for connections in options.connections:
            print(
                f"\n{connections} connections\n\n| | requests/s | p50 ms | p99 ms |\n|---|---|---|---|"
            )
            found = {who: [] for who in servers}
            for server in servers.values():
                load(server, 1, ONE_STONE, connections)
            for _ in range(options.rounds):
                for who, server in servers.items():
                    found[who].append(load(server, options.seconds, ONE_STONE, connections))
            for who, each in sorted(
                found.items(), key=lambda item: -median(load.per_second for load in item[1])
            ):
                print(table_row(who, each, ("per_second", "p50_ms", "p99_ms")), flush=True)


if __name__ == "__main__":
    main()
