"""A real S3 server of the tests' own (moto's), on a free loopback port.

It has an environment of its own, which ``scripts/install-test-tools`` makes.
"""

from __future__ import annotations

import http.client
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from support import DEADLINE, free_port, until

PROGRAM = Path(__file__).parent.parent / ".venv-tools" / "bin" / "moto_server"
BUCKET = "diamonds"


class S3:
    """A server that can be killed, frozen, and started again on the same port with its objects.

    The server keeps its objects in memory: ``kill`` writes them down first, as a disk would have.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._objects: dict[str, bytes] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to use the server."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "secret-word",
            "AWS_REGION": "us-east-1",
        }

    def store(self) -> S3Store:
        """Return the bucket, as a test looks into it."""
        return S3Store(
            BUCKET,
            endpoint=f"http://127.0.0.1:{self.port}",
            access_key_id="tester",
            secret_access_key="secret-word",
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all objects."""
        found = obstore.list(self.store(), prefix or None)
        return [each["path"] for chunk in found for each in chunk]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        assert self._process is None, "the server runs already"
        self._process = subprocess.Popen(
            [PROGRAM, "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._made, "the S3 server answers")
        for name, data in self._objects.items():
            obstore.put(self.store(), name, data)

    def kill(self) -> None:
        """End the server as kill -9 does; its objects are there again after ``start``."""
        assert self._process is not None
        store = self.store()
        self._objects = {name: bytes(obstore.get(store, name).bytes()) for name in self.names()}
        self._process.kill()
        self._process.wait(DEADLINE)
        self._process = None

    def discard(self) -> None:
        """End the server, whatever state it is in."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(DEADLINE)
            self._process = None

    def _made(self) -> bool:
        """Create the bucket, which the server does without a signature; tell whether it answered."""
        with suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("PUT", f"/{BUCKET}")
            answered = connection.getresponse().status == 200
            connection.close()
            return answered
        return False


@contextmanager
def running_s3() -> Iterator[S3]:
    """Run a server of one's own."""
    if not PROGRAM.exists():
        raise AssertionError(f"{PROGRAM} is missing; run: scripts/install-test-tools")
    server = S3()
    try:
        server.start()
        yield server
    finally:
        server.discard()


@contextmanager
def in_environment(server: S3) -> Iterator[None]:
    """Let this process, and those that it starts, use the server."""
    patch = pytest.MonkeyPatch()
    for name, value in server.environment.items():
        patch.setenv(name, value)
    try:
        yield
    finally:
        patch.undo()
