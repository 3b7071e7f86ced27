"""What do slow clients and long work do to everybody else?

    python benchmarks/connections.py [--rounds 2]

Serves one worker, with gevent (the default) and with gthread and its 4 threads, one after the
other. Counts how many prices and probes are answered within three seconds beside silent
connections, and times both beside a CSV of 250,000 stones; then compares the speed with one and
with 16 connections.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from _load import Request, load, train
from support import STONE, serving

WORKERS = {"gevent": "", "gthread": "--worker-class gthread --threads 4"}
SILENT = 200
STONES = 250_000
BODY = json.dumps(STONE)
HALF = b"POST /v1/predictions HTTP/1.1\r\nHost: a\r\n"


def ask(port, path):
    """Send one request on a connection of its own; return the milliseconds, or None."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        if path == "/livez":
            connection.request("GET", path)
        else:
            connection.request("POST", path, BODY, {"Content-Type": "application/json"})
        connection.getresponse().read()
    except OSError:
        return None
    finally:
        connection.close()
    return (time.perf_counter() - began) * 1e3


def beside_silence(port):
    """Return how many of 8 prices and 8 probes are answered beside silent connections."""
    with ExitStack() as stack:
        for at in range(SILENT):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.sendall(HALF if at % 2 else b"")
        return [sum(ask(port, path) is not None for _ in range(8)) for path in PATHS]


def beside_csv(port):
    """Return the seconds of a long CSV, and the sorted milliseconds of prices and probes."""
    rows = "".join(f"{0.3 + at % 200 / 100:.2f},Ideal,E,VS1\n" for at in range(STONES))
    text = f"carat,cut,color,clarity\n{rows}"
    seconds = []

    def send():
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("POST", "/v1/predictions/batch", text, {"Content-Type": "text/csv"})
        connection.getresponse().read()
        seconds.append(time.perf_counter() - began)

    thread = threading.Thread(target=send)
    thread.start()
    times = {path: [] for path in PATHS}
    while thread.is_alive():
        for path in PATHS:
            found = ask(port, path)
            times[path].append(3000.0 if found is None else found)
        time.sleep(0.01)
    thread.join()
    return seconds[0], [sorted(each) for each in times.values()]


PATHS = ("/v1/predictions", "/livez")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        train(home, "xgboost")
        for number in range(options.rounds):
            for worker, arguments in WORKERS.items():
                with serving(home, GUNICORN_CMD_ARGS=arguments) as service:
                    ask(service.port, PATHS[0])
                    one = load(
                        (service.port, service.process.pid),
                        options.seconds,
                        Request(PATHS[0], STONE),
                        1,
                    )
                    many = load(
                        (service.port, service.process.pid),
                        options.seconds,
                        Request(PATHS[0], STONE),
                        16,
                    )
                    seconds, (prices, probes) = beside_csv(service.port)
                    answered = beside_silence(service.port)
                print(f"round {number + 1}, {worker}")
                for label, found in (("1 connection", one), ("16 connections", many)):
                    print(
                        f"  {label:<16}{found.per_second:>8.0f} prices/s, p99 {found.p99_ms:.1f} ms"
                    )
                print(f"  {STONES:,} stones as CSV in {seconds:.1f} s; beside it")
                for label, found in (("prices", prices), ("probes", probes)):
                    print(
                        f"    {label}: median {found[len(found) // 2]:.1f},"
                        f" p99 {found[int(len(found) * 0.99)]:.1f}, max {found[-1]:.1f} ms"
                    )
                print(
                    f"  beside {SILENT} silent connections: {answered[0]} of 8 prices,"
                    f" {answered[1]} of 8 probes"
                )


if __name__ == "__main__":
    main()
