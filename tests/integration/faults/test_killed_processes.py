"""Workers, shippers and the database are killed in any order: every answer is recorded once."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest
from load import ALL_WELL, Load, compare, shipped, workers_of
from support import serving, spool_health, until

REQUESTS = 5000
KILLS = 12


def shippers_of(home: Path) -> list[int]:
    """Return the process ids of the shippers of *home*."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if b"diamond_app.shipper" in command and f"DIAMOND_HOME={home}".encode() in environment:
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("where", ["SQLite", "MariaDB"])
def test_nothing_is_lost_when_everything_is_killed(trained_home, server, url, where):
    chance = random.Random(20)
    if where == "SQLite":
        url = f"sqlite:///{trained_home / 'requests.db'}"
    victims = ["worker", "shipper", "worker and shipper"] * (KILLS // 3)
    chance.shuffle(victims)
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        load = Load(service, REQUESTS)
        killed = set()
        moments = sorted(chance.sample(range(100, REQUESTS - 500), KILLS))
        for moment, victim in zip(moments, victims, strict=True):
            until(lambda: load.answered >= moment, f"{moment} answers")  # noqa: B023  # called at once
            if where == "MariaDB" and chance.random() < 0.3:
                server.kill()
                server.start()
            if "shipper" in victim:
                for pid in shippers_of(trained_home):
                    os.kill(pid, signal.SIGKILL)
            if "worker" in victim:
                alive = until(lambda: sorted(set(workers_of(service)) - killed), "a worker")
                pid = chance.choice(alive)
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        noted = load.finish()
        rows = shipped(noted, url)
    assert compare(noted, rows) == ALL_WELL
    assert len(noted) > REQUESTS - KILLS * 8, "hardly any request may stay without an answer"
    assert list((trained_home / "spool").glob("*.db*")) == []
    health = spool_health(trained_home)
    assert (health.dead_letters, health.damaged, health.lost) == (0, 0, 0)
