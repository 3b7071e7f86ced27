"""A service under a steady load, with new champions and a database that goes away for a while."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from load import Load, compare, shipped, workers_of
from mariadb import MariaDB
from support import Service, environment

from diamond_app.container import build_container
from diamond_app.settings import Settings

_EXPECTED = {200, 404, 422}
"""The statuses of the usual mix of requests, see ``load.usual_request``."""


@dataclass(frozen=True)
class Soaked:
    """What clients saw.

    Attributes:
        answers: how many responses arrived whole, by status.
        cut_off: requests without a whole response.
        slowest: the slowest responses, in seconds, the slowest first.
        p99: in seconds.
        promotions: how often the champion changed.
        memory: seconds since the start, and the memory of all workers, in MB, shared pages divided.
        record: what is lost, recorded twice or changed.
    """

    answers: Counter[int]
    cut_off: int
    slowest: Sequence[float]
    p99: float
    promotions: int
    memory: Sequence[tuple[float, float]]
    record: dict[str, list[str]]

    @property
    def unexpected(self) -> int:
        """How many requests were not answered, or with another status than the usual ones."""
        wrong = sum(count for status, count in self.answers.items() if status not in _EXPECTED)
        return self.cut_off + wrong


def soak(
    service: Service,
    home: Path,
    database: MariaDB,
    url: str,
    models: Sequence[str],
    *,
    seconds: float,
    rate: float,
    promote_every: float,
    away_from: float,
    away_until: float,
    sample: Callable[[float], None] = lambda _: None,
) -> Soaked:
    """Load *service* for some seconds with *rate* requests a second.

    *models* are promoted in turns. The *database*, whose *url* the service ships to, is killed at
    *away_from* and started again at *away_until*, in seconds from the start.
    """
    settings = Settings.load(environment(home, DIAMOND_DATABASE_URL=url))
    choose = build_container(settings).choose_champion()
    load = Load(service, round(seconds * rate), name="soak", rate=rate)
    began = time.monotonic()
    memory, promotions = [], 0
    is_away = False

    def promote() -> None:
        choose.promote(models[promotions % len(models)], reason="soak", by="soak")

    waits = threading.Event()
    while (now := time.monotonic() - began) < seconds:
        if now >= (promotions + 1) * promote_every:
            promote()
            promotions += 1
        if not is_away and away_from <= now < away_until:
            database.kill()
            is_away = True
        if is_away and now >= away_until:
            database.start()
            is_away = False
        memory.append((now, sum(map(_megabytes, workers_of(service)))))
        sample(now)
        waits.wait(min(1.0, seconds / 20))
    if is_away:
        database.start()
    noted = load.finish()
    rows = shipped(noted, url)
    times = sorted(load.seconds, reverse=True)
    return Soaked(
        answers=Counter(each.status for each in noted.values()),
        cut_off=load.cut_off,
        slowest=times[:5],
        p99=times[len(times) // 100],
        promotions=promotions,
        memory=memory,
        record=compare(noted, rows),
    )


def _megabytes(pid: int) -> float:
    """Return the memory of a process, pages that several share divided among them."""
    with suppress(OSError):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        if found:
            return int(found[1]) / 1024
    return 0.0
