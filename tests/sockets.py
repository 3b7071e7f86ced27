"""Bare connections to a service, for what no HTTP library sends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from support import DEADLINE, Service


@contextmanager
def connected(service: Service) -> Iterator[socket.socket]:
    """A bare connection to the service."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=DEADLINE) as connection:
        yield connection


def answer_to(service: Service, request: bytes, *, then_close: bool = False) -> bytes:
    """Send bytes as they are, and return all that comes back until the service closes."""
    with connected(service) as connection:
        connection.sendall(request)
        if then_close:
            connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
        return b"".join(parts)
