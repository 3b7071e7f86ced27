"""Two homes share one database, and both start while it is empty; their clocks may differ."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from load import ALL_WELL, Load, compare, shipped
from support import serving

CLOCK = """
import datetime, os, time
seconds = int(os.environ["CLOCK_SECONDS"])
real_time, real_time_ns = time.time, time.time_ns
time.time = lambda: real_time() + seconds
time.time_ns = lambda: real_time_ns() + seconds * 10**9
class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
datetime.datetime = Clock
"""
YEARS = 73 * 365 * 86_400


@pytest.mark.parametrize("seconds", [0, -600, -3600, YEARS])
def test_two_hosts_record_in_one_database(trained_home, mysql_url, tmp_path, seconds):
    other_home = trained_home.with_name("other") / "home"
    shutil.copytree(trained_home, other_home)
    tmp_path.joinpath("sitecustomize.py").write_text(CLOCK)
    clock = {"PYTHONPATH": str(tmp_path), "CLOCK_SECONDS": str(seconds)} if seconds else {}
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        starts = [
            serving(home, DIAMOND_DATABASE_URL=mysql_url, **more)
            for home, more in ((trained_home, {}), (other_home, clock))
        ]
        services = list(pool.map(stack.enter_context, starts))
        loads = [Load(each, 300, name=f"host{number}") for number, each in enumerate(services)]
        noted = loads[0].finish() | loads[1].finish()
        rows = shipped(noted, mysql_url)
    assert len(noted) == 600
    assert compare(noted, rows) == ALL_WELL
    asked, other = (
        min(row.occurred_at for row in rows if row.request_id.startswith(f"host{number}"))
        for number in range(2)
    )
    assert abs((other - asked).total_seconds() - seconds) < 60, "the clock is not wrong"
