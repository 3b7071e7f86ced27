"""How soon the service answers, and what another worker costs.

Prints the time from ``diamond serve`` to the first answered price against a bare Falcon app under
the same gunicorn, the time to import the core and to print the command's help, and the memory
that a second worker does not share with anyone (Linux). Medians of RUNS runs.

Run: python benchmarks/start_up.py
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7
STONE = json.dumps({"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"})
BARE = """
import falcon, json
class Constant:
    def on_post(self, req, resp):
        json.loads(req.bounded_stream.read())
        resp.media = {"price": 1.0}
app = falcon.App()
app.add_route("/v1/predictions", Constant())
"""
GUNICORN = (sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "4")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/v1/predictions", STONE, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def start(command: list[str], folder: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Return the process and the seconds until it answered a price."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}"],
        cwd=folder,
        env=os.environ | {"DIAMOND_HOME": str(folder / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not ask(port):
        if process.poll() is not None:
            raise SystemExit(f"{command} ended with {process.returncode}")
        time.sleep(0.002)
    return process, time.perf_counter() - began


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def timed(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def own_memory(pid: int) -> float:
    """Return the MiB of *pid* that no other process shares."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"Private_(?:Clean|Dirty):\s+(\d+)", rollup)) / 1024


def workers_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory_of_workers(serve: list[str], folder: Path) -> list[float]:
    port = free_port()
    process, _ = start([*serve, "--workers", "2"], folder, port)
    for _ in range(200):  # both workers have priced
        ask(port)
    memory = [own_memory(pid) for pid in workers_of(process.pid)]
    stop(process)
    return memory


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        diamond = [sys.executable, "-m", "diamond_app"]
        env = os.environ | {"DIAMOND_HOME": str(folder / "home")}
        train = [*diamond, "train", "--family", "linear"]
        subprocess.run(train, cwd=folder, env=env, check=True, capture_output=True)

        ours, bare, imports, empty, helps = [], [], [], [], []
        for _ in range(RUNS):  # side by side: the machine's speed drifts
            for command, times in (([*diamond, "serve"], ours), ([*GUNICORN, "bare:app"], bare)):
                process, seconds = start(command, folder, free_port())
                times.append(seconds)
                stop(process)
            imports.append(timed([sys.executable, "-c", "import diamond_core"], folder))
            empty.append(timed([sys.executable, "-c", "pass"], folder))
            helps.append(timed([*diamond, "--help"], folder))
        middle = statistics.median
        print(f"first price, bare Falcon    {middle(bare):.2f} s")
        print(f"first price, diamond serve  {middle(ours):.2f} s")
        print(f"  ratio                     {middle(ours) / middle(bare):.2f}  (wanted: under 2.5)")
        importing = 1e3 * (middle(imports) - middle(empty))
        print(f"import diamond_core         {importing:.0f} ms  (wanted: under 150)")
        print(f"diamond --help              {1e3 * middle(helps):.0f} ms  (wanted: under 200)")
        if Path("/proc/self/smaps_rollup").exists():
            memory = memory_of_workers([*diamond, "serve"], folder)
            told = " and ".join(f"{each:.0f}" for each in memory)
            print(f"own memory of two workers   {told} MiB  (wanted: under 40)")


if __name__ == "__main__":
    main()
