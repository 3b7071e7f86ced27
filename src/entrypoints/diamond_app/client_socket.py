"""The socket of a client, with deadlines; the head of an answer leaves together with its body.

So the system is called once, and the client wakes up once.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

_NO_LIMIT: Final = 86_400.0


class ClientSocket:
    """A client's socket for gunicorn.

    Args:
        client: the socket.
        cfg: gunicorn's settings: ``keepalive`` seconds for the head of a request (0: as for its
            body), ``timeout`` seconds for its body and for each part of the answer (0: no limit).
    """

    def __init__(self, client: Any, cfg: Any) -> None:
        self._client = client
        self._seconds: float = cfg.timeout or _NO_LIMIT
        self._keepalive: float = cfg.keepalive or self._seconds
        self._is_served = False
        self._head: bytes | None = None
        self._deadline = time.monotonic() + self._keepalive

    def serve(self) -> None:
        """Begin to serve the request whose head has arrived."""
        self._is_served = True
        self._head = b""
        self._deadline = time.monotonic() + self._seconds

    def wait_for_next(self) -> None:
        """Send what is left of the answer, and expect the head of the next request."""
        with suppress(OSError):  # the client has gone: there is no next request
            self._flush()
        self._is_served = False
        self._deadline = time.monotonic() + self._keepalive

    def recv(self, size: int) -> bytes:
        """Return what the client has sent; after the deadline what is there, or b'' as if it had closed.

        Raises:
            TimeoutError: the body of a request came too slowly.
        """
        self._client.settimeout(max(0.0, self._deadline - time.monotonic()))
        try:
            received: bytes = self._client.recv(size)
        except (TimeoutError, BlockingIOError):
            if self._is_served:
                raise TimeoutError("the body came too slowly") from None
            return b""
        return received

    def sendall(self, data: bytes) -> None:
        """Send, but keep the head of an answer until there is more."""
        if self._head == b"":
            self._head = data
            return
        data, self._head = (self._head or b"") + data, None
        self._client.settimeout(self._seconds)
        sent = self._client.send(data)
        if sent < len(data):
            self._client.sendall(memoryview(data)[sent:])

    def sendfile(self, *arguments: Any, **more: Any) -> Any:
        """Send from a file."""
        self._flush()
        return self._client.sendfile(*arguments, **more)

    def _flush(self) -> None:
        if self._head:
            self.sendall(b"")
        self._head = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
