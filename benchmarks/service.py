"""How much slower than bare Falcon is the service, its record on?

    python benchmarks/service.py [--seconds 3] [--rounds 5] [--family xgboost]

Serves a bare Falcon app (it parses the same JSON and answers a constant) and the service side by
side, two workers each with the same gunicorn settings, the service with its spool, its shipper and SQLite. A
client in a process of its own loads them in turn. Then a batch of 10,000 stones against single
requests.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from _load import get, load, post
from support import STONE, Service, diamond, environment, free_port, until

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


def compare(name, bare, ours, request, options):
    """Load both in turn and print medians and ratios."""
    found = {"bare Falcon": [], "diamond-core": []}
    for service in (bare, ours):
        load(service, 0.5, request)
    for _ in range(options.rounds):
        found["bare Falcon"].append(load(bare, options.seconds, request))
        found["diamond-core"].append(load(ours, options.seconds, request))
    print(f"{name:<24}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}")
    medians = {}
    for who, measured in found.items():
        medians[who] = [
            statistics.median(getattr(each, field) for each in measured)
            for field in ("per_second", "p50_ms", "p99_ms", "cpu_us")
        ]
        speed, p50, p99, cpu = medians[who]
        print(f"  {who:<22}{speed:>12.0f}{p50:>9.2f}{p99:>9.2f}{cpu:>9.0f}")
    of_bare, of_ours = medians["bare Falcon"], medians["diamond-core"]
    print(
        f"  ratio {of_ours[0] / of_bare[0]:.2f} (to be 0.85 or more),"
        f" p99 {of_ours[2] / of_bare[2]:.2f} x (to be below 3)"
    )
    return of_ours[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--family", default="xgboost")
    parser.add_argument("--threads", default="4")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        home = folder / "home"
        diamond(home, "train", "--family", options.family, "--trials", "0")
        gunicorn = (sys.executable, "-m", "gunicorn", "--log-level", "error")
        same = ("--worker-class", "gthread", "--threads", options.threads, "--keep-alive", "5")
        bare_command = (*gunicorn, *same, "--no-control-socket", "bare:app")
        our_command = (*gunicorn, "--config", "python:diamond_app.gunicorn_conf", *same[2:4])
        with (
            served(folder, bare_command, dict(os.environ)) as bare,
            served(folder, our_command, environment(home)) as ours,
        ):
            single = compare(
                "POST /v1/predictions", bare, ours, post("/v1/predictions", STONE), options
            )
            compare("GET /v1/similar", bare, ours, get(SIMILAR), options)
            stones = [STONE | {"carat": round(0.2 + at / 5000, 4)} for at in range(BATCH)]
            batch = post("/v1/predictions/batch", {"diamonds": stones})
            stones_per_second = BATCH * load(ours, 3 * options.seconds, batch, 2).per_second
            print(
                f"batches of {BATCH:,}: {stones_per_second:,.0f} stones/s,"
                f" {stones_per_second / single:.0f} x single requests (to be 300 or more)"
            )


if __name__ == "__main__":
    main()
