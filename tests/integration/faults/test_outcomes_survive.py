"""Outcomes survive what the request log survives: what was answered with 200 is kept exactly once."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from load import kill_whole, recorded, workers_of
from support import STONE, Answer, Service, serving, until

from diamond_adapters.requests.peewee_outcome_log import PeeweeOutcomeLog
from diamond_core import Unavailable

REPORTERS = 4
ROUNDS = 3
BOUND_SECONDS = 20.0


@pytest.fixture(params=["SQLite", "MariaDB"])
def database_url(request, trained_home):
    if request.param == "SQLite":
        return f"sqlite:///{trained_home / 'requests.db'}"
    return request.getfixturevalue("url")


def report(service: Service, id: str, paid: float = 4500.0) -> Answer:
    return service.post(f"/v1/predictions/{id}/outcome", {"price_paid": paid})


def accepted(service: Service, id: str, paid: float = 4500.0) -> bool:
    answer = report(service, id, paid)
    assert answer.status in (200, 503)
    return answer.status == 200


def kept(url: str) -> list[tuple[str, int, float]]:
    log = PeeweeOutcomeLog.from_url(url)
    try:
        return [(each.id, each.number, each.price_paid) for each in log.read()]
    finally:
        log.close()


class Reporters:
    """Some clients that report outcomes, each about another prediction, until one is told to end.

    Attributes:
        answered: the price that was reported, by the id, of each report with the answer 200.
        asked: the same of each report, answered or not.
    """

    def __init__(self, service: Service, ids: Iterator[str]) -> None:
        self.answered: dict[str, float] = {}
        self.asked: dict[str, float] = {}
        self._service = service
        self._ids = ids
        self._ended = threading.Event()
        self._clients = [threading.Thread(target=self._report_all) for _ in range(REPORTERS)]
        for client in self._clients:
            client.start()

    def end(self) -> None:
        self._ended.set()
        for client in self._clients:
            client.join()

    def _report_all(self) -> None:
        while not self._ended.is_set() and (id := next(self._ids, None)):
            paid = 4500.0 + len(self.asked)
            self.asked[id] = paid
            # without an answer, because the worker was killed, it may be kept or not
            with suppress(OSError, http.client.HTTPException):
                until(lambda: accepted(self._service, id, paid), "it is accepted")  # noqa: B023
                self.answered[id] = paid


def test_each_outcome_is_kept_once_whatever_is_killed(trained_home, database_url):
    """Workers, then the service with all its workers, are killed while outcomes are reported."""
    answered: dict[str, float] = {}
    asked: dict[str, float] = {}
    for _ in range(ROUNDS):
        with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=database_url) as service:
            body = {"diamonds": [STONE] * 500}
            priced = service.post("/v1/predictions/batch", body).json["predictions"]
            reporters = Reporters(service, iter([each["id"] for each in priced]))
            try:
                until(lambda: len(reporters.answered) >= 20, "20 outcomes are kept")  # noqa: B023
                os.kill(workers_of(service)[0], signal.SIGKILL)
                until(lambda: len(reporters.answered) >= 60, "60 outcomes are kept")  # noqa: B023
                kill_whole(service)
            finally:
                reporters.end()
            answered |= reporters.answered
            asked |= reporters.asked
    with serving(trained_home, DIAMOND_DATABASE_URL=database_url) as service:
        found = kept(database_url)
        assert answered.items() <= {id: paid for id, _, paid in found}.items()
        assert {number for _, number, _ in found} == {1}
        assert len(found) == len({id for id, *_ in found})
        unanswered = asked.keys() - answered.keys()
        for id in [*unanswered, *itertools.islice(answered, 20)]:  # again: it changes nothing
            until(lambda: accepted(service, id, asked[id]), "it is accepted")  # noqa: B023
    assert sorted(kept(database_url)) == sorted((id, 1, paid) for id, paid in asked.items())


def refused_in_time(service: Service, id: str) -> Answer:
    """Report an outcome that can't be kept now, while prices are answered."""
    stop, statuses = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            statuses.append(service.post("/v1/predictions", STONE).status)

    buyer = threading.Thread(target=ask)
    buyer.start()
    began = time.monotonic()
    try:
        answer = report(service, id)
    finally:
        seconds = time.monotonic() - began
        stop.set()
        buyer.join()
    assert answer.status == 503, answer.body
    assert int(answer.headers["retry-after"]) > 0
    assert seconds < BOUND_SECONDS
    assert set(statuses) <= {200}, "prices go on being answered"
    assert service.post("/v1/predictions", STONE).status == 200
    return answer


def test_a_server_that_hangs_is_waited_for_once(server, url):
    log = PeeweeOutcomeLog.from_url(f"{url}?read_timeout=4")
    assert list(log.newest(1)) == []
    server.freeze()
    began = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            log.newest(1)
    finally:
        seconds = time.monotonic() - began
        server.thaw()
    assert seconds < 7
    assert list(log.newest(1)) == []
    log.close()


@pytest.mark.parametrize("away", ["killed", "frozen"])
def test_says_when_to_try_again_while_the_server_is_away(trained_home, server, url, away):
    impatient = f"{url}?read_timeout=4"
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=impatient) as service:
        first, second = (service.post("/v1/predictions", STONE).json["id"] for _ in range(2))
        assert report(service, first).status == 200
        if away == "killed":
            server.kill()
        else:
            server.freeze()
        try:
            refused_in_time(service, second)
        finally:
            if away == "killed":
                server.start()
            else:
                server.thaw()
        until(lambda: accepted(service, second), "the outcome is accepted")
    assert sorted(kept(url)) == sorted((id, 1, 4500.0) for id in (first, second))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Make a file read-only, for root too."""
    as_root = os.geteuid() == 0

    def change(*command: str) -> bool:
        return (
            subprocess.run([*command, str(path)], capture_output=True, check=False).returncode == 0
        )

    if not change(*(("chattr", "+i") if as_root else ("chmod", "0400"))):
        pytest.skip("root can't make a file read-only on this file system")
    try:
        yield
    finally:
        change(*(("chattr", "-i") if as_root else ("chmod", "0600")))


@pytest.mark.parametrize("fault", [locked, read_only], ids=["locked", "read-only"])
def test_says_when_to_try_again_while_a_file_takes_nothing(trained_home, fault):
    path = trained_home / "requests.db"
    url = f"sqlite:///{path}"
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        id = service.post("/v1/predictions", STONE).json["id"]
        until(lambda: recorded(url), "the prediction is in the database")
        with fault(path):
            answer = refused_in_time(service, id)
        assert "the request log's database" in answer.json["detail"]
        until(lambda: accepted(service, id), "the outcome is accepted")
    assert kept(url) == [(id, 1, 4500.0)]
