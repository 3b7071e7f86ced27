"""How long does it take to compare a month of requests with the training data, and how much memory?

    python benchmarks/drift.py [--requests 1000000] [--four-cs]

Trains the linear family on the bundled stones, fills the request log (SQLite) of a new home with
requests for stones of the hold-out, spread over 30 days, and computes their drift in a process of its
own, as the shipper does. It also shows how often windows of 500 requests raise an alarm, and how
often 200 requests for stones that are 30 % heavier do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from _record import fill, priced_exchange
from support import diamond, environment

from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.sources.bundled import BundledSource
from diamond_app import open_home
from diamond_core import (
    FIELDS,
    REQUIRED,
    CountedStones,
    DiamondTable,
    Drift,
    DriftLimits,
    PricedStones,
    in_holdout,
    read_stones,
)
from diamond_core.monitoring.hourly_counts import HourCounts

NOW = datetime.now(UTC)


def exchanges(stones, names, count, period=timedelta(days=30)):
    """Yield exchanges of the last *period*, oldest first."""
    random = np.random.default_rng(0)
    step = period / count
    columns = [stones.values(name) for name in names]
    prices = stones.price.tolist()
    for number in range(count):
        at = NOW - period + number * step
        row = int(random.integers(len(stones)))
        values = {name: column[row] for name, column in zip(names, columns, strict=True)}
        id = f"{int(at.timestamp() * 1e9):016x}{number:016x}"
        yield priced_exchange(id, values, prices[row], occurred_at=at)


def windows(card, stones, size, count):
    """Return the share of windows with an alarm."""
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(count):
        some = stones[random.integers(0, len(stones), size)]
        texts = np.full(size, "", dtype=object)
        times = np.full(size, NOW.replace(tzinfo=None), dtype="M8[us]")
        prices = some.price * np.exp(random.normal(0, 0.07, size))
        counted = CountedStones()
        parts = [PricedStones(some, texts, times, texts, texts, prices, prices, prices)]
        counted.read(NOW, 1, parts)
        hours = counted.hours(card.profile, card.training_range)
        counts = HourCounts.sum(hours, card.profile, NOW)
        alarms += Drift.of(counts, card.profile, NOW, DriftLimits()).drifted
    return alarms / count


def heavier(stones):
    rows = stones.rows.copy()
    rows["carat"] = np.round(rows["carat"] * 1.3, 2)
    rows["price"] *= 1.5
    return DiamondTable(rows)


def watch(home):
    """Return how many seconds the comparison takes, and how many MiB."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "diamond_app.watch"]
    with subprocess.Popen(command, env=environment(home)) as process:
        peak = os.wait4(process.pid, 0)[2].ru_maxrss / 1024
    return time.perf_counter() - started, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--four-cs", action="store_true", help="without measurements")
    given = parser.parse_args()
    stones = read_stones([BundledSource()])[0].table
    held_out = stones[in_holdout(stones)].four_cs()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        diamond(home, "train", "--family", "linear")
        wired = open_home(home)
        card = wired.history.card(wired.history.champion())
        for size in (200, 500, 5_000):
            print(f"{size} requests: {windows(card, held_out, size, 1000):.2%} of windows alarm")
        print(f"200 heavier: {windows(card, heavier(held_out), 200, 1000):.1%} alarm")
        log = PeeweeRequestLog.from_url(wired.settings.database_url)
        names = REQUIRED if given.four_cs else tuple(FIELDS)
        fill(log, exchanges(stones, names, given.requests))
        log.close()
        first, peak = watch(home)
        log = PeeweeRequestLog.from_url(wired.settings.database_url)
        fill(log, exchanges(stones, names, 1000, timedelta(minutes=9)))
        log.close()
        again, _ = watch(home)
        found = open_home(home).container.monitoring_store().load()
        drift = found.drift(found.since, DriftLimits())
        print(f"{given.requests:,} requests: {first:.1f} s, at most {peak:.0f} MiB")
        print(f"again after 1,000 more: {again:.1f} s")
        print(f"{drift.requests:,} distinct, alarms: {dict(drift.alarms())}")
        size = (home / "monitoring.json").stat().st_size
        started = time.perf_counter()
        open_home(home).container.monitoring_store().load()
        print(f"the state: {size / 1024:.0f} KiB, read in {time.perf_counter() - started:.3f} s")


if __name__ == "__main__":
    main()
