"""Workers are killed in the middle of everything: every answer is recorded once, unchanged."""

from __future__ import annotations

import os
import random
import signal

from load import ALL_WELL, Load, compare, shipped, workers_of
from support import serving, until

REQUESTS = 5000
KILLS = 10


def test_nothing_is_lost_when_workers_are_killed(trained_home, mysql_url):
    chance = random.Random(20)
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=mysql_url) as service:
        load = Load(service, REQUESTS)
        killed = set()
        for moment in sorted(chance.sample(range(100, REQUESTS - 500), KILLS)):
            until(lambda: load.answered >= moment, f"{moment} answers")  # noqa: B023  # called at once
            alive = until(lambda: sorted(set(workers_of(service)) - killed), "a worker")
            pid = chance.choice(alive)
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        noted = load.finish()
        rows = shipped(noted, mysql_url)
    assert compare(noted, rows) == ALL_WELL
    assert len(noted) > REQUESTS - KILLS * 8, "hardly any request may stay without an answer"
    assert list((trained_home / "journal").glob("*.log")) == []
