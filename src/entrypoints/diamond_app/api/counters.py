"""Counters of all workers: each worker writes its own file, and any of them can sum all files.

prometheus_client's multiprocess mode uses memory-mapped values; it costs three to ten times as
much on the request path (docs/decisions/0005-metrics-and-logs.md).
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import threading
from bisect import bisect_left
from collections import deque
from pathlib import Path
from typing import Final

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds: the buckets that OpenTelemetry recommends for HTTP servers."""

_FLUSH_SECONDS: Final = 0.25
_MAXIMUM_WAITING: Final = 20_000
_ENDED: Final = "ended.json"

Route = tuple[str, str, int]
"""Method, route and status of a request."""


class Counters:
    """Requests by route, and stones priced by model.

    Attributes:
        durations: route -> a count per bucket, one for longer requests, then the sum of seconds.
        priced: the model's id -> how many stones it priced.
    """

    def __init__(self) -> None:
        self.durations: dict[Route, list[float]] = {}
        self.priced: dict[str, int] = {}

    def request(self, route: Route, seconds: float) -> None:
        """Count one request."""
        counts = self.durations.get(route)
        if counts is None:
            counts = self.durations[route] = [0] * (len(BUCKETS) + 1) + [0.0]
        counts[bisect_left(BUCKETS, seconds)] += 1
        counts[-1] += seconds

    def prices(self, model: str, stones: int) -> None:
        """Count priced stones."""
        self.priced[model] = self.priced.get(model, 0) + stones

    def add(self, other: Counters) -> None:
        """Add the counts of *other*."""
        for route, counts in other.durations.items():
            mine = self.durations.get(route, [0] * len(counts))
            self.durations[route] = [a + b for a, b in zip(mine, counts, strict=True)]
        for model, stones in other.priced.items():
            self.prices(model, stones)

    def write(self, file: Path, merged: frozenset[str] = frozenset()) -> None:
        """Replace *file* atomically."""
        durations = [[*route, counts] for route, counts in self.durations.items()]
        values = {"durations": durations, "priced": self.priced, "merged": sorted(merged)}
        draft = file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(values))
        draft.replace(file)

    @classmethod
    def read(cls, file: Path) -> tuple[Counters, frozenset[str]]:
        """Return the counts in *file* and the names of files merged into it; none if it is gone."""
        counters = cls()
        try:
            values = json.loads(file.read_text())
        except FileNotFoundError:
            return counters, frozenset()
        for method, route, status, counts in values["durations"]:
            counters.durations[method, route, status] = counts
        counters.priced = values["priced"]
        return counters, frozenset(values["merged"])


class SharedCounters:
    """The counts of this worker, shared through *folder*; None: not shared."""

    def __init__(self, folder: Path | None) -> None:
        self._counters = Counters()
        self._waiting: deque[tuple[Route, float, str, int]] = deque()
        self._lock = threading.Lock()
        self._folder = folder
        if folder is not None:
            self._file = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
            self._pause = threading.Event()
            threading.Thread(target=self._run, name="share-counts", daemon=True).start()
            atexit.register(self.flush)

    def count(self, route: Route, seconds: float, model: str, stones: int) -> None:
        """Count a request. Threads can call it without waiting for each other."""
        self._waiting.append((route, seconds, model, stones))
        if len(self._waiting) > _MAXIMUM_WAITING:
            self.flush()

    def flush(self) -> None:
        """Sum up the counts, and share them."""
        with self._lock:
            if not self._waiting:
                return
            while self._waiting:
                route, seconds, model, stones = self._waiting.popleft()
                self._counters.request(route, seconds)
                if stones:
                    self._counters.prices(model, stones)
            if self._folder is not None and self._folder.is_dir():
                self._counters.write(self._file)

    def total(self) -> Counters:
        """Return the counts of all workers, including those that ended."""
        self.flush()
        if self._folder is None:
            return self._counters
        total = Counters()
        # these files first: counts that move to the file of ended workers meanwhile are found there
        living = {file.name: Counters.read(file)[0] for file in self._folder.glob("*-*.json")}
        ended, merged = Counters.read(self._folder / _ENDED)
        total.add(ended)
        for name, counters in living.items():
            if name not in merged:
                total.add(counters)
        return total

    def _run(self) -> None:
        while not self._pause.wait(_FLUSH_SECONDS):
            self.flush()


def keep_counters_of(folder: Path, pid: int) -> None:
    """Move the counts of an ended worker to the file of ended workers.

    Only one process at a time can do this.
    """
    file = folder / _ENDED
    counters, merged = Counters.read(file)
    for found in folder.glob(f"{pid}-*.json"):
        counters.add(Counters.read(found)[0])
        counters.write(file, merged | {found.name})
        found.unlink()
