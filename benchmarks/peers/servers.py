"""How fast are the servers that people would use instead, with the same graph?

    python benchmarks/peers/servers.py [--home HOME] [--seconds 3] [--rounds 5]

``make .peers/mlflow .peers/bentoml`` makes the environments that these servers run in.

Serves the champion of a home (without one, XGBoost is trained) with MLflow, with BentoML and with
the service, two workers each, and loads them in turn with one measured stone in each request.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(BENCHMARKS.parent / "tests"), str(BENCHMARKS)]

from _load import Request, load, table_row, train
from service import MEASURED
from support import diamond, free_port, serving, until

PEERS = BENCHMARKS.parent / ".peers"
FEATURES = [1.1, 4, 3, 3, 61.5, 57, 6.66, 6.63, 4.09]


def answers(port, request):
    """Tell whether a server answers *request*, sent with curl."""
    done = subprocess.run(
        [
            *("curl", "--silent", "--fail", "--max-time", "10"),
            *("-H", "Content-Type: application/json", "-d", request.text()),
            f"http://127.0.0.1:{port}{request.path}",
        ],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@contextmanager
def running(command, port, request, **env):
    """Run a server; give its port and process id once it answers."""
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=Path(__file__).parent,
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: answers(port, request), f"{command[0]} answers", 120)
        yield port, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlflow", type=Path, default=PEERS / "mlflow", help="its environment")
    parser.add_argument("--bentoml", type=Path, default=PEERS / "bentoml", help="its environment")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        home = options.home or Path(name) / "home"
        if options.home is None:
            train(home, "xgboost")
        champion = json.loads(diamond(home, "models", "list", "--json").stdout)[0]["id"]
        graph = home.resolve() / "models" / champion / "model.onnx"
        service = stack.enter_context(serving(home, workers=2))
        price = Request("/v1/predictions", MEASURED)
        servers = {"diamond-core": ((service.port, service.process.pid), price)}

        port, request = free_port(), Request("/invocations", {"inputs": [FEATURES]})
        python = options.mlflow.resolve() / "bin" / "python"
        command = (python, "serve_with_mlflow.py", graph, port)
        servers["MLflow"] = stack.enter_context(running(command, port, request)), request

        port, request = free_port(), Request("/predict", {"stones": [FEATURES]})
        program = options.bentoml.resolve() / "bin" / "bentoml"
        command = (program, "serve", "serve_with_bentoml:Price", "--port", port)
        server = stack.enter_context(running(command, port, request, GRAPH=str(graph)))
        servers["BentoML"] = server, request

        for connections in (1, 16):
            print(f"\n{connections} connections\n")
            print("| | requests/s | p50 ms | p99 ms |\n|---|---|---|---|")
            found = {who: [] for who in servers}
            for _ in range(options.rounds):
                for who, (server, request) in servers.items():
                    found[who].append(load(server, options.seconds, request, connections))
            for who, measured in found.items():
                print(table_row(who, measured, ("per_second", "p50_ms", "p99_ms")), flush=True)


if __name__ == "__main__":
    main()
