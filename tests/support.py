"""What integration tests share: the command, and a real service on a free port."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.spool_health import health_of
from diamond_core import Exchange, ExchangeFilter, RequestLog, RequestLogHealth

DEADLINE = 60.0
STONE = {"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"}


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which only *home* and *more* configure the product."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIAMOND_")}
    kept.pop("GUNICORN_CMD_ARGS", None)
    kept.pop("WEB_CONCURRENCY", None)
    return kept | {"DIAMOND_HOME": str(home)} | more


def diamond(
    home: Path, *arguments: str, check: bool = True, python: str = sys.executable, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command ``diamond`` in the folder above *home* and return what came of it."""
    done = subprocess.run(
        [python, "-m", "diamond_app", *arguments],
        env=environment(home, **more),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(
            f"diamond {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done


def until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """Poll until *condition* returns something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        time.sleep(0.02)


@dataclass
class Answer:
    """A response: its status, headers (lower-case names) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """A running service and a plain client of it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port = port
        self.process = process
        self.log = log
        self.url = f"http://127.0.0.1:{port}"

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; a *body* that is no bytes is sent as JSON."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("POST", path, body, headers)

    @property
    def one_time_key(self) -> dict[str, str]:
        """The header with the admin key that the service shows at its start."""
        shown = self.log.read_text().partition("key, for this run only: ")[2]
        return {"X-API-Key": shown.split()[0]}

    def answers(self) -> bool:
        """Tell whether the service answers at all."""
        try:
            return self.get("/livez").status == 200
        except OSError:
            return False


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a file system of this *size* at *folder*, or skip the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "diamond-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_port() -> int:
    """Return a port on the loopback address that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def serving(
    home: Path, workers: int = 1, python: str = sys.executable, **more: str
) -> Iterator[Service]:
    """Run ``diamond serve`` for *home* on a free port and stop it in the end."""
    port = free_port()
    log = home.parent / f"serve-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(python, "-m", "diamond_app", "serve"),
                *("--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
            ],
            env=environment(home, **more),
            cwd=home.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    service = Service(port, process, log)
    try:
        until(lambda: service.answers() or process.poll() is not None, "the service answers")
        if process.poll() is not None:
            raise AssertionError(f"the service ended: {log.read_text()}")
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(DEADLINE)
        until(lambda: not shipper_runs(home), "the shipper ends")


def shipper_runs(home: Path) -> bool:
    """Tell whether a process empties the spool of *home*."""
    with suppress(FileNotFoundError), (home / "spool" / "shipper.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def spool_health(home: Path) -> RequestLogHealth:
    """Return how the spool of *home* is doing, at this moment."""
    return health_of(home / "spool", 1 << 30, Losses(home / "spool"))


def newest(log: RequestLog, limit: int = 10) -> list[Exchange]:
    """Return the newest exchanges of a request log, newest first."""
    return list(log.find(ExchangeFilter(), limit=limit))
