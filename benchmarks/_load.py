"""A client that loads a service from a process of its own, and what it measured."""

from __future__ import annotations

import json
import multiprocessing
import os
import selectors
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from support import STONE

CONNECTIONS = 8


def post(path, body):
    """The bytes of a request that sends *body* as JSON."""
    sent = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(sent), sent)


def get(path):
    """The bytes of a request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


ONE_STONE = post("/v1/predictions", STONE)


@dataclass
class Measured:
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0
    """What a request cost the service's processes; other load on the machine hardly changes it."""


def load(service, seconds, request=ONE_STONE, connections=CONNECTIONS):
    """Send *request* on some kept connections, as many as are answered, in another process."""
    port, pid = service
    cpu = _cpu_seconds(pid)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    client = multiprocessing.Process(
        target=_client, args=(port, seconds, request, connections, sender)
    )
    client.start()
    sender.close()  # so that a client that fails ends the wait
    measured = receiver.recv()
    client.join()
    measured.cpu_us = (_cpu_seconds(pid) - cpu) / (measured.per_second * seconds) * 1e6
    return measured


def _cpu_seconds(pid):
    """Return what the children of a process have used."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stats = [
        Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split() for child in children
    ]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _is_whole(answer):
    head, found, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return found and len(body) >= int(length)


def _client(port, seconds, request, connections, sender):
    chooser = selectors.DefaultSelector()
    sent_at = {}
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(connection, selectors.EVENT_READ)
        sent_at[connection] = time.perf_counter()
        connection.sendall(request)
    times = []
    answers = {}
    started = time.perf_counter()
    while (now := time.perf_counter()) < started + seconds:
        for key, _ in chooser.select(1.0):
            connection = key.fileobj
            answer = answers.pop(connection, b"") + connection.recv(1 << 20)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"unexpected answer: {answer[:200]!r}")
            if not _is_whole(answer):
                answers[connection] = answer
                continue
            now = time.perf_counter()
            times.append(now - sent_at[connection])
            sent_at[connection] = now
            connection.sendall(request)
    times.sort()
    p50, p99 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99))
    sender.send(Measured(len(times) / (now - started), p50, p99))
