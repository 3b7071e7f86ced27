"""How much does a priced stone cost beyond HTTP itself?

Calls the service and a bare Falcon resource (parses the same JSON, answers a constant) in
process, without a socket, and prints microseconds per request side by side.
"""

from __future__ import annotations

import io
import tempfile
import time
from pathlib import Path

import msgspec
from _minimal import bare

from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_adapters.sources.bundled import bundled_source
from diamond_app.container import Container, build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core import TrainingConfig

STONE = msgspec.json.encode({"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"})
QUERY = "carat=1.1&cut=Ideal&color=H&clarity=SI2&n=5"
ROUNDS, CALLS = 9, 1500


def environ(method: str, path: str, query: str = "", body: bytes = b"") -> dict:
    """Return what gunicorn would hand to an app."""
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_USER_AGENT": "benchmark",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }


def microseconds(app, method: str, path: str, query: str = "", body: bytes = b"") -> float:
    """Return the cost of one call, the median of some rounds."""

    def start_response(status, headers) -> None:
        if not status.startswith("200"):
            raise RuntimeError(status)

    costs = []
    for _ in range(ROUNDS):
        environs = [environ(method, path, query, body) for _ in range(CALLS)]
        began = time.perf_counter()
        for each in environs:
            b"".join(app(each, start_response))
        costs.append((time.perf_counter() - began) / CALLS * 1e6)
    return sorted(costs)[ROUNDS // 2]


def trained(home: Path) -> Container:
    """Return a container with a linear champion."""
    container = build_container(Settings.load({"DIAMOND_HOME": str(home)}, home / ".env"))
    container.train_models()([bundled_source()], TrainingConfig(trials=0))
    container.champion_follower().refresh()
    return container


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        container = trained(Path(folder))
        # Nothing is moved on into the database meanwhile: that has a benchmark of its own.
        container.request_log.override(
            SpooledRequestLog(container.destination(), Path(folder) / "benchmark")
        )
        ours, of_falcon = app_of(container), bare()
        print(f"{'request':<24}{'bare us':>10}{'ours us':>10}{'more us':>10}")
        for name, call in {
            "POST /v1/predictions": ("POST", "/v1/predictions", "", STONE),
            "GET /v1/similar": ("GET", "/v1/similar", QUERY),
        }.items():
            of_bare, of_ours = microseconds(of_falcon, *call), microseconds(ours, *call)
            print(f"{name:<24}{of_bare:>10.1f}{of_ours:>10.1f}{of_ours - of_bare:>10.1f}")


if __name__ == "__main__":
    main()
