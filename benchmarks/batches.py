"""How much slower than the model's graph alone are batches, and files priced in bulk?

    python benchmarks/batches.py [--family linear --family xgboost] [--rows 1000000] [--rounds 5]

For each family: a batch of 10,000 stones as JSON and as CSV over HTTP, on one kept connection to one
worker of the service, its record on, against one call of the graph on the same stones with one
thread; then ``diamond predict`` of a CSV and of a Parquet file against the graph in chunks on all
cores. Stones with measurements, and with carat, cut, color and clarity only. A ratio is that of the
stones per second, medians (minimum, maximum); the graph and the others are measured in turn. CPU is what
the service's or the command's processes used; other load hardly changes it.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from _load import cpu_seconds, train
from support import environment, serving

from diamond_adapters.sources.bundled import bundled_source
from diamond_app.container import build_container
from diamond_app.pricing_processes import cores
from diamond_app.settings import Settings
from diamond_core import DiamondTable, clean
from diamond_core.stones.fields import FIELDS, REQUIRED

BATCH = 10_000
CALLS = 10
KINDS = {"measured": tuple(FIELDS), "four Cs": REQUIRED}


def stones(count):
    """Return bundled stones in a random order, with repetitions."""
    table = DiamondTable.concatenate([clean(each).table for each in bundled_source().read()])
    return table[np.random.default_rng(1).integers(0, len(table), count)]


def rows_of(table, names):
    return list(zip(*(table.values(name) for name in names), strict=True))


def csv_of(table, names):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([names, *rows_of(table, names)])
    return text.getvalue().encode()


def graph_rate(model, table, count):
    """Return the stones per second of the graph alone, in *count* threads."""
    parts = [table[at : at + BATCH] for at in range(0, len(table), BATCH)]
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(model.price, parts[:count]))
        began = time.perf_counter()
        list(threads.map(model.price, parts))
        return len(table) / (time.perf_counter() - began)


def graph_cpu(model, table):
    """Return the processor time of a stone, in microseconds."""
    began = time.process_time()
    for at in range(0, len(table), BATCH):
        model.price(table[at : at + BATCH])
    return (time.process_time() - began) / len(table) * 1e6


def posted(connection, body, kind):
    """Send a batch, and return the seconds until its answer was read."""
    began = time.perf_counter()
    connection.request("POST", "/v1/predictions/batch", body, {"Content-Type": kind})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"unexpected answer: {answer.status}")
    return time.perf_counter() - began


def show(name, rates, alone, cpu, graph, more=""):
    ratio = statistics.median(rates) / statistics.median(alone)
    print(
        f"  {name:<28}{statistics.median(rates):>10,.0f} stones/s"
        f" ({min(rates):,.0f}, {max(rates):,.0f})  ratio {ratio:.2f};"
        f" CPU {cpu:.2f} us a stone, ratio {graph / cpu:.2f}{more}"
    )


def over_http(home, model, table, options):
    with serving(home) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port)
        for kind, names in KINDS.items():
            some = table[:BATCH] if kind == "measured" else table[:BATCH].four_cs()
            values = [dict(zip(names, row, strict=True)) for row in rows_of(some, names)]
            known = [{n: v for n, v in each.items() if v is not None} for each in values]
            bodies = {
                "application/json": json.dumps({"diamonds": known}).encode(),
                "text/csv": csv_of(some, names),
            }
            for content, body in bodies.items():
                posted(connection, body, content)
                alone, rates, cpus, graphs = [], [], [], []
                for _ in range(options.rounds):
                    alone.append(graph_rate(model, some, 1))
                    graphs.append(graph_cpu(model, some))
                    before = cpu_seconds(service.process.pid)
                    seconds = [posted(connection, body, content) for _ in range(CALLS)]
                    cpus.append(
                        (cpu_seconds(service.process.pid) - before) / len(seconds) / BATCH * 1e6
                    )
                    rates.append(BATCH / statistics.median(seconds))
                show(f"{content}, {kind}", rates, alone, min(cpus), min(graphs))


def in_bulk(folder, home, model, table, options):
    for kind, names in KINDS.items():
        some = table if kind == "measured" else table.four_cs()
        path = folder / "stones.csv"
        path.write_bytes(csv_of(some, names))
        alone = [graph_rate(model, some, cores()) for _ in range(3)]
        graph = graph_cpu(model, some)
        for suffix in (".csv", ".parquet"):
            if suffix == ".parquet":
                to_parquet(path)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds, peak = predict(home, path.with_suffix(suffix), folder / f"out{suffix}")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            more = f"; {seconds:.1f} s, at most {peak:.0f} MiB in its largest process"
            cpu = used / len(some) * 1e6
            show(f"predict {suffix}, {kind}", [len(some) / seconds], alone, cpu, graph, more)


def predict(home, source, target):
    """Run the command, and return its seconds and the MiB of its largest process."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stderr=-3);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-m", "diamond_app", "predict", str(source), "--output", str(target)]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        env=environment(home),
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - began, float(done.stdout)


def to_parquet(path):
    from arro3.io import infer_csv_schema, read_csv, write_parquet

    schema = infer_csv_schema(str(path), has_header=True)
    write_parquet(read_csv(str(path), schema, has_header=True), str(path.with_suffix(".parquet")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", action="append")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = stones(max(options.rows, BATCH))
    for family in options.family or ("linear", "xgboost"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            home = folder / "home"
            train(home, family)
            container = build_container(Settings.load({"DIAMOND_HOME": str(home)}, folder))
            container.champion_follower().refresh()
            model = container.champion_follower().get().model
            print(f"{family}: batches of {BATCH:,} over HTTP, beside the graph in one thread")
            over_http(home, model, table, options)
            print(f"{family}: {len(table):,} rows, beside the graph on {cores()} cores")
            in_bulk(folder, home, model, table, options)


if __name__ == "__main__":
    main()
