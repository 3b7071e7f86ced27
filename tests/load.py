"""Clients that note every answer they get, and the comparison of their notes with the record."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from support import DEADLINE, STONE, Service, until

from diamond_adapters.database import open_database
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_core import Exchange, ExchangeFilter

CLIENTS = 4


class Asked(NamedTuple):
    """A request: its method, its path with the query, and its body."""

    method: str
    target: str
    body: bytes = b""


class Noted(NamedTuple):
    """What a client knows of an exchange that it has the whole response of."""

    asked: Asked
    status: int
    response_digest: str


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def usual_request(number: int) -> Asked:
    """Return one of a mix of prices, batches, similar stones, and mistakes."""
    carat = 0.3 + number % 170 / 100
    match number % 10:
        case 0:
            return Asked("GET", f"/v1/similar?carat={carat:.2f}&cut=Ideal&color=H&clarity=SI2&n=3")
        case 1:
            return Asked("GET", f"/v1/nothing/here/{number}?really=no")
        case 2:
            return Asked("POST", "/v1/predictions", json.dumps({"carat": -number}).encode())
        case 3:
            body = json.dumps({"diamonds": [STONE | {"carat": carat}] * 3}).encode()
            return Asked("POST", "/v1/predictions/batch", body)
        case _:
            body = json.dumps(STONE | {"carat": round(carat, 2)}).encode()
            return Asked("POST", "/v1/predictions", body)


class Load:
    """Some clients with connections that they keep, sending numbered requests.

    With a *rate*, so many are sent a second; without one, as many as are answered.

    Attributes:
        noted: by request id, the exchanges whose response arrived whole.
        seconds: how long each of these responses took.
        cut_off: how many requests had no whole response.
        elapsed: from the beginning until all were sent, in seconds.
    """

    def __init__(
        self, service: Service, requests: int, *, name: str = "r", rate: float | None = None
    ) -> None:
        self.noted: dict[str, Noted] = {}
        self.seconds: list[float] = []
        self.cut_off = 0
        self.elapsed = 0.0
        self._interval = 1.0 / rate if rate else 0.0
        self._began = time.monotonic()
        self._pause = threading.Event()
        self._service = service
        self._name = name
        self._numbers: Iterator[int] = iter(range(requests))
        self._lock = threading.Lock()
        self._clients = [threading.Thread(target=self._send_all) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    @property
    def answered(self) -> int:
        return len(self.noted)

    def stop(self) -> None:
        """Send no more requests."""
        with self._lock:
            self._numbers = iter(())

    def finish(self) -> dict[str, Noted]:
        """Wait until all requests were sent and return what was noted."""
        for client in self._clients:
            client.join(DEADLINE)
            assert not client.is_alive(), "a client still waits for its answers"
        self.elapsed = time.monotonic() - self._began
        return self.noted

    def _send_all(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=DEADLINE)
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                connection.close()
                return
            id = f"{self._name}-{number}"
            early = self._began + number * self._interval - time.monotonic()
            if early > 0.0:
                self._pause.wait(early)
            began = time.monotonic()
            try:
                self.noted[id] = send(connection, usual_request(number), id)
                self.seconds.append(time.monotonic() - began)
            except (OSError, http.client.HTTPException):
                self.cut_off += 1
                connection.close()  # no whole answer: it may be recorded or not


def send(connection: http.client.HTTPConnection, asked: Asked, id: str) -> Noted:
    """Send one request and note its answer."""
    headers = {"X-Request-ID": id, "Content-Type": "application/json"}
    connection.request(asked.method, asked.target, body=asked.body or None, headers=headers)
    response = connection.getresponse()
    body = response.read()
    assert response.getheader("X-Request-ID") == id
    return Noted(asked, response.status, digest(body))


def recorded(database_url: str) -> Sequence[Exchange]:
    """Return what the database holds, without a look at any spool."""
    database = open_database(database_url)
    try:
        return PeeweeRequestLog(database).find(ExchangeFilter(), limit=1_000_000)
    finally:
        database.close()


def compare(noted: dict[str, Noted], rows: Sequence[Exchange]) -> dict[str, list[str]]:
    """Return the ids of what is lost, recorded twice, or changed: all three are empty if all is well."""
    by_id: dict[str, list[Exchange]] = defaultdict(list)
    for row in rows:
        by_id[row.request_id].append(row)
    return {
        "lost": [id for id in noted if id not in by_id],
        "twice": [id for id, found in by_id.items() if len(found) > 1],
        "changed": [
            id for id, note in noted.items() if id in by_id and note != _noted(by_id[id][0])
        ],
    }


ALL_WELL = {"lost": [], "twice": [], "changed": []}


def _noted(row: Exchange) -> Noted:
    target = f"{row.path}?{row.query}" if row.query else row.path
    asked = Asked(row.method, target, row.request_body)
    return Noted(asked, row.status, digest(row.response_body))


def shipped(noted: dict[str, Noted], database_url: str) -> Sequence[Exchange]:
    """Wait until the database holds an exchange for each note, and return all that it holds."""

    def all_there() -> Sequence[Exchange] | None:
        rows = recorded(database_url)
        return rows if noted.keys() <= {row.request_id for row in rows} else None

    found: Sequence[Exchange] = until(all_there, f"{len(noted)} exchanges are in the database")
    return found


def workers_of(service: Service) -> list[int]:
    """Return the process ids of the service's workers."""
    pid = service.process.pid
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill_whole(service: Service) -> None:
    """End the service and all its workers as kill -9 does."""
    workers = workers_of(service)
    for pid in (service.process.pid, *workers):
        os.kill(pid, signal.SIGKILL)
    service.process.wait(DEADLINE)
    until(lambda: not any(_lives(pid) for pid in workers), "the workers are gone")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
