"""Clients that send little, slowly or never, and answers that take long, stop nobody else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from sockets import connected
from support import STONE, serving, until

HEAD = b"POST /v1/predictions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
CSV = {"Content-Type": "text/csv"}


def is_closed(connection) -> bool:
    """Tell whether the service has ended the connection; discard what it has sent."""
    connection.settimeout(0.01)
    try:
        return connection.recv(65_536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_prices_beside_two_hundred_silent_connections_and_ends_them(service):
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(service)) for _ in range(200)]
        for at, connection in enumerate(silent):
            connection.sendall((b"", b"POST", HEAD, HEAD + b"Content-Length: 9\r\n\r\n{")[at % 4])
        for _ in range(8):
            assert service.post("/v1/predictions", STONE).status == 200
            assert service.get("/livez").status == 200
        without_head = [each for at, each in enumerate(silent) if at % 4 != 3]
        until(lambda: all(map(is_closed, without_head)), "connections without a head are closed")


def test_a_body_has_a_deadline(trained_home):
    with (
        serving(trained_home, GUNICORN_CMD_ARGS="--timeout 1") as service,
        connected(service) as slow,
    ):
        slow.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")

        def trickle() -> bool:
            try:
                slow.sendall(b" ")
            except OSError:
                return True
            return is_closed(slow)

        answers = []

        def is_answered() -> bool:
            with suppress(OSError):
                slow.sendall(b" ")
                slow.settimeout(0.02)
                answers.append(slow.recv(65_536))
            return bool(answers)

        until(is_answered, "a body that trickles is refused")
        assert b"408" in answers[0].splitlines()[0]
        until(trickle, "its connection is closed")
        assert service.post("/v1/predictions", STONE).status == 200
        assert "Traceback" not in service.log.read_text()


def test_answers_beside_a_long_csv(service):
    row = "0.5,Ideal,E,VS1\n"
    text = ("carat,cut,color,clarity\n" + row * 240_000).encode()
    with ThreadPoolExecutor() as pool:
        long = pool.submit(service.post, "/v1/predictions/batch", text, CSV)
        answered = 0
        while not long.done():
            assert service.post("/v1/predictions", STONE).status == 200
            answered += 1
        assert long.result().status == 200
    assert answered > 5


def test_reads_the_log_in_several_threads_at_once(trained_home, mysql_url):
    with serving(trained_home, DIAMOND_DATABASE_URL=mysql_url) as service:
        key = service.one_time_key

        def ask(number: int) -> int:
            path = "/v1/predictions" if number % 2 else "/v1/requests"
            if number % 2:
                return service.post(path, STONE).status
            return service.get(path, key).status

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(ask, range(80)))
        assert set(statuses[1::2]) == {200}
        assert 200 in statuses[::2]
        assert set(statuses[::2]) <= {200, 503}  # who does not get a turn in time is refused
        assert "Traceback" not in service.log.read_text()


def test_ends_at_once_beside_idle_connections_and_finishes_a_request(trained_home):
    text = ("carat,cut,color,clarity\n" + "0.5,Ideal,E,VS1\n" * 100_000).encode()
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor())
        with serving(trained_home, GUNICORN_CMD_ARGS="--keep-alive 60") as service:
            for _ in range(20):
                stack.enter_context(connected(service)).sendall(
                    b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
                )
            long = pool.submit(service.post, "/v1/predictions/batch", text, CSV)
            until(lambda: service.post("/v1/predictions", STONE).status == 200, "it answers")
            began = time.monotonic()
            service.process.terminate()
            service.process.wait(30)
        assert long.result().status == 200
        assert time.monotonic() - began < 30  # not the 60 s of the idle connections


@pytest.mark.parametrize("arguments", ["--worker-class gthread --threads 4", "--worker-class sync"])
def test_other_workers_work_too(trained_home, arguments):
    with serving(trained_home, GUNICORN_CMD_ARGS=arguments) as service:
        assert service.post("/v1/predictions/batch", {"diamonds": [STONE]}).status == 200
