"""How much slower than bare Falcon is the service, its record on?

    python benchmarks/service.py [--seconds 3] [--rounds 5] [--family xgboost]

Serves a bare Falcon app (it parses the same JSON and answers a constant), under gunicorn's gthread
and gevent workers, and the service, side by side, two workers each; the service with its spool, its
shipper and SQLite. A client in a process of its own loads them in turn. The ratio is that to the
faster bare app. Then a batch of 10,000 stones against single requests.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from _load import get, load, post
from support import STONE, Service, diamond, environment, free_port, until

OURS = "diamond-core"
WORKERS = 2
BATCH = 10_000
SIMILAR = "/v1/similar?carat=1.1&cut=Ideal&color=H&clarity=SI2&n=5"
BARE = """
import falcon, msgspec
class Constant:
    def on_post(self, req, resp):
        msgspec.json.decode(req.bounded_stream.read())
        resp.data = b'{"price": 4608.99}'
    def on_get(self, req, resp):
        req.params
        resp.data = b'{"diamonds": []}'
class Live:
    def on_get(self, req, resp):
        resp.data = b'{}'
app = falcon.App()
app.add_route("/v1/predictions", Constant())
app.add_route("/v1/similar", Constant())
app.add_route("/livez", Live())
"""


@contextmanager
def served(folder, command, env):
    """Run a server on a free port; give its port and the id of gunicorn's own process."""
    port = free_port()
    process = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)],
        env=env,
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(Service(port, process, folder).answers, f"{command} answers")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def compare(name, servers, request, options):
    """Load all in turn and print medians, and the ratios to the faster bare one; return ours."""
    measured = {who: [] for who in servers}
    for server in servers.values():
        load(server, 0.5, request)
    for _ in range(options.rounds):
        for who, server in servers.items():
            measured[who].append(load(server, options.seconds, request))
    print(f"{name:<24}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}")
    medians = {}
    for who, found in measured.items():
        medians[who] = [
            statistics.median(getattr(each, field) for each in found)
            for field in ("per_second", "p50_ms", "p99_ms", "cpu_us")
        ]
        speed, p50, p99, cpu = medians[who]
        print(f"  {who:<22}{speed:>12.0f}{p50:>9.2f}{p99:>9.2f}{cpu:>9.0f}")
    ours = medians.pop(OURS)
    best = max(medians.values())
    print(
        f"  ratio {ours[0] / best[0]:.2f} (to be 0.85 or more),"
        f" p99 {ours[2] / best[2]:.2f} x (to be below 3)"
    )
    return ours[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--family", default="xgboost")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        home = folder / "home"
        diamond(home, "train", "--family", options.family, "--trials", "0")
        gunicorn = (sys.executable, "-m", "gunicorn", "--log-level", "error")
        our_command = (*gunicorn, "--config", "python:diamond_app.gunicorn_conf")
        with ExitStack() as stack:
            ours = stack.enter_context(served(folder, our_command, environment(home)))
            servers = {OURS: ours}
            for worker, more in (("gthread", ("--threads", "4")), ("gevent", ())):
                command = (*gunicorn, "--worker-class", worker, *more, "--keep-alive", "5")
                servers[f"bare Falcon, {worker}"] = stack.enter_context(
                    served(folder, (*command, "--no-control-socket", "bare:app"), dict(os.environ))
                )
            price = post("/v1/predictions", STONE)
            single = compare("POST /v1/predictions", servers, price, options)
            compare("GET /v1/similar", servers, get(SIMILAR), options)
            stones = [STONE | {"carat": round(0.2 + at / 5000, 4)} for at in range(BATCH)]
            batch = post("/v1/predictions/batch", {"diamonds": stones})
            stones_per_second = BATCH * load(ours, 3 * options.seconds, batch, 2).per_second
            print(
                f"batches of {BATCH:,}: {stones_per_second:,.0f} stones/s,"
                f" {stones_per_second / single:.0f} x single requests (to be 300 or more)"
            )


if __name__ == "__main__":
    main()
