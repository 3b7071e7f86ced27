"""What does the record of requests cost, and how fast does a spool reach its database?

    python benchmarks/request_log.py [--seconds 3] [--rounds 3] [--backlog 100000]

Serves the same prices in four ways side by side, on two workers each: without a record, with the
spool alone, with the spool and MariaDB, and with an insert into MariaDB before each
response. A client in a process of its own loads them in turn. Needs MariaDB's server
(scripts/install-test-tools).
"""

from __future__ import annotations

import argparse
import gzip
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from _load import CONNECTIONS, Measured, load
from dependency_injector import providers
from mariadb import fresh_database, running_mariadb
from support import diamond, environment, free_port, newest, until

from diamond_adapters.in_memory import InMemoryRequestLog
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of, follow, run_in_background
from diamond_core import Unavailable
from diamond_core.testing import an_exchange

WAYS = {
    "none": "no record",
    "spool": "spool alone",
    "both": "spool and MariaDB",
    "direct": "insert per request",
}
bundled_csv = files("diamond_adapters.sources").joinpath("diamonds.csv.gz")
WORKERS = 2


class NoLog(InMemoryRequestLog):
    """A log that keeps nothing."""

    def append(self, exchange):
        pass


def application(way):
    """The service with one way of recording, for gunicorn."""
    container = build_container(Settings.load())
    follow(container.champion_follower())
    if way == "none":
        container.request_log.override(providers.Object(NoLog()))
    elif way == "direct":
        log = PeeweeRequestLog.from_url(container.settings().database_url)
        container.request_log.override(providers.Object(log))
    elif way == "both":
        run_in_background(container.request_log())
    return app_of(container)


@contextmanager
def served(way, home, database_url):
    port = free_port()
    arguments = [
        *(sys.executable, "-m", "gunicorn", "--config", "python:diamond_app.gunicorn_conf"),
        *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--log-level", "error"),
        f"request_log:application('{way}')",
    ]
    paths = {"PYTHONPATH": str(ROOT / "benchmarks"), "DIAMOND_DATABASE_URL": database_url}
    process = subprocess.Popen(
        arguments, env=environment(home, **paths), stderr=subprocess.DEVNULL, cwd=home.parent
    )
    try:
        until(lambda: _answers(port), f"{way} answers")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
            one.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in one.recv(100)
    except OSError:
        return False


def compare_ways(folder, server, seconds, rounds):
    first_home = folder / "none" / "home"
    first_home.parent.mkdir()
    header, *lines = gzip.decompress(bundled_csv.read_bytes()).splitlines(keepends=True)
    sample = first_home.with_name("sample.csv")
    sample.write_bytes(b"".join([header, *lines[::20]]))
    diamond(first_home, "train", str(sample), "--family", "linear")
    found = {way: [] for way in WAYS}
    with ExitStack() as stack:
        ports = {}
        for way in WAYS:
            home = folder / way / "home"
            if way != "none":
                home.mkdir(parents=True)
                for name in ("models", "promotions", "samples"):
                    (home / name).symlink_to(first_home / name)
            url = stack.enter_context(fresh_database(server.url))
            ports[way] = stack.enter_context(served(way, home, url))
            load(ports[way], 1)
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(load(ports[way], seconds))
    print(
        f"{'':22}{'requests/s':>12}{'of no record':>14}{'p50 ms':>9}{'p99 ms':>9}{'x p99':>7}{'CPU us':>8}"
    )
    base = _middle(found["none"])
    for way, title in WAYS.items():
        one = _middle(found[way])
        print(
            f"{title:22}{one.per_second:12,.0f}{one.per_second / base.per_second:14.2f}"
            f"{one.p50_ms:9.2f}{one.p99_ms:9.2f}{one.p99_ms / base.p99_ms:7.2f}"
            f"{one.cpu_us:8.0f}"
        )


def _middle(all_of_it):
    median = statistics.median
    return Measured(
        median(each.per_second for each in all_of_it),
        median(each.p50_ms for each in all_of_it),
        median(each.p99_ms for each in all_of_it),
        median(each.cpu_us for each in all_of_it),
    )


def time_append(folder, database):
    exchange = an_exchange(request_body=b"x" * 80, response_body=b"y" * 420)
    for title, durable, count in (("process", False, 20_000), ("power", True, 500)):
        log = SpooledRequestLog(database, folder / f"append-{title}", durable=durable)
        started = time.perf_counter()
        for _ in range(count):
            log.append(exchange)
        each = (time.perf_counter() - started) / count
        print(f"append, sync={title:8}{each * 1e6:10,.1f} us")
        log.close()


def ship_backlog(title, folder, database, count):
    log = SpooledRequestLog(database, folder, limit=10 << 30)
    for _ in range(count):
        log.append(an_exchange(request_body=b"x" * 80, response_body=b"y" * 420))
    started = time.perf_counter()
    while not _is_up_to_date(log):  # a look at the log ships for some seconds
        pass
    seconds = time.perf_counter() - started
    print(
        f"{count:,} waiting exchanges into {title}: {seconds:.1f} s, {count / seconds:,.0f} a second"
    )
    log.close()


def _is_up_to_date(log):
    try:
        newest(log, 1)
    except Unavailable:
        return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backlog", type=int, default=100_000)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, {WORKERS} workers, {CONNECTIONS} connections")
    with tempfile.TemporaryDirectory() as name, running_mariadb() as server:
        folder = Path(name)
        compare_ways(folder, server, given.seconds, given.rounds)
        sqlite = PeeweeRequestLog.from_url(f"sqlite:///{folder / 'backlog.db'}")
        time_append(folder, sqlite)
        ship_backlog("SQLite", folder / "to-sqlite", sqlite, given.backlog)
        with fresh_database(server.url) as url:
            mariadb = PeeweeRequestLog.from_url(url)
            ship_backlog("MariaDB", folder / "to-mariadb", mariadb, given.backlog)


if __name__ == "__main__":
    main()
