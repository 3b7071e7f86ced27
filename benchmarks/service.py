"""How fast is the service, beside the least that could answer the same price?

    python benchmarks/service.py [--family xgboost] [--home HOME] [--seconds 3] [--rounds 5]
        [--connections 1 16]

Serves side by side, two workers each: bare Falcon, the minimal app with the champion's graph, see
``_minimal.py``, each under gunicorn's gthread and gevent workers, and the service with its record
in SQLite. ``wrk`` loads them in turn. A ratio is that to the faster minimal app. Then ``hey`` asks for
prices at a constant 70 % of the greatest rate.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from _load import Request, load, load_at, table_row, train
from support import STONE, Service, environment, free_port, until

OURS = "diamond-core"
WORKERS = 2
CLASSES = {"gthread": ("--threads", "4"), "gevent": ()}
SIMILAR = "/v1/similar?carat=1.1&cut=Ideal&color=H&clarity=SI2&n=5"
MEASURED = STONE | {"depth": 61.5, "table": 57, "x": 6.66, "y": 6.63, "z": 4.09}
REQUESTS = {
    "price, the 4 Cs": Request("/v1/predictions", STONE),
    "price, measured": Request("/v1/predictions", MEASURED),
    "similar": Request(SIMILAR),
}


@contextmanager
def served(folder, command, env, workers=WORKERS):
    """Run a server on a free port; give its port and the id of gunicorn's own process."""
    port = free_port()
    process = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}", "--workers", str(workers)],
        env=env,
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(Service(port, process, folder).answers, f"{command} answers")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def commands(home):
    """Return gunicorn's commands by name, and the environment in which they serve *home*."""
    env = environment(home)
    env["PYTHONPATH"] = os.pathsep.join((str(ROOT / "benchmarks"), env.get("PYTHONPATH", "")))
    gunicorn = (sys.executable, "-m", "gunicorn", "--http-parser", "python", "--log-level", "error")
    made = {OURS: (*gunicorn, "--config", "python:diamond_app.gunicorn_conf")}
    for name, call in (("minimal", "_minimal:app()"), ("bare", "_minimal:bare()")):
        for worker, more in CLASSES.items():
            made[f"{name}, {worker}"] = (
                *(*gunicorn, "--worker-class", worker, *more, "--keep-alive", "5"),
                *("--no-control-socket", call),
            )
    return made, env


@contextmanager
def side_by_side(home):
    """Serve all with the champion of *home*; give their ports and process ids by name."""
    made, env = commands(home)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(served(home.parent, command, env))
            for name, command in made.items()
        }


def compare(name, servers, request, connections, options):
    """Load all in turn; print the figures and the ratios to the faster minimal app."""
    measured = {who: [] for who in servers}
    for server in servers.values():
        load(server, 1, request, connections)
    for _ in range(options.rounds):
        for who, server in servers.items():
            measured[who].append(load(server, options.seconds, request, connections))
    print(f"\n{name}, {connections} connections\n")
    print("| | requests/s | p50 ms | p99 ms | CPU us |\n|---|---|---|---|---|")
    medians = {}
    for who, found in measured.items():
        print(table_row(who, found, ("per_second", "p50_ms", "p99_ms", "cpu_us")))
        medians[who] = [
            median(each.per_second for each in found),
            median(each.p99_ms for each in found),
        ]
    best = max(found for who, found in medians.items() if who.startswith("minimal"))
    ours = medians[OURS]
    print(
        f"\nratio to the minimal app: {ours[0] / best[0]:.2f}, its p99: {ours[1] / best[1]:.2f} x",
        flush=True,
    )
    return ours[0]


def at_constant_rate(servers, peak, options):
    """Ask ours and the minimal app for prices at 70 % of our greatest rate."""
    rate = 0.7 * peak
    print(f"\nprice, the 4 Cs, at a constant {rate:,.0f} requests/s, 16 connections\n")
    print("| | requests/s | p50 ms | p99 ms |\n|---|---|---|---|")
    for who, server in servers.items():
        if who.startswith("bare"):
            continue
        found = [
            load_at(server, rate, options.seconds, REQUESTS["price, the 4 Cs"])
            for _ in range(options.rounds)
        ]
        print(table_row(who, found, ("per_second", "p50_ms", "p99_ms")), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--family", default="xgboost")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--home", type=Path, help="serve its champion; without it, one is trained")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = options.home or Path(name) / "home"
        if options.home is None:
            train(home, options.family)
        with side_by_side(home) as servers:
            peak = 0.0
            for what, request in REQUESTS.items():
                for connections in options.connections:
                    found = compare(what, servers, request, connections, options)
                    if request.body == STONE:
                        peak = max(peak, found)
            at_constant_rate(servers, peak, options)


if __name__ == "__main__":
    main()
