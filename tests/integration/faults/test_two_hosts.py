"""Two homes share one database, and both start while it is empty."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from load import ALL_WELL, Load, compare, shipped
from support import serving


def test_two_hosts_record_in_one_database(trained_home, mysql_url):
    other_home = trained_home.with_name("other") / "home"
    shutil.copytree(trained_home, other_home)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        starts = [
            serving(home, DIAMOND_DATABASE_URL=mysql_url) for home in (trained_home, other_home)
        ]
        services = list(pool.map(stack.enter_context, starts))
        loads = [Load(each, 300, name=f"host{number}") for number, each in enumerate(services)]
        noted = loads[0].finish() | loads[1].finish()
        rows = shipped(noted, mysql_url)
    assert len(noted) == 600
    assert compare(noted, rows) == ALL_WELL
