"""Bodies that are refused, broken or larger than they look."""

from __future__ import annotations

import hashlib
import json
import socket

import pytest
from falcon import testing
from sockets import answer_to, connected
from support import STONE, newest, serving, until
from wired import in_memory, with_champion

from diamond_app.api.request_body import KEPT, KEPT_WHOLE
from diamond_app.wsgi import app_of

LARGE = "ü".encode() * 1_000_000
JSON = {"Content-Type": "application/json"}
KEYS = "shop:secret-of-the-shop"


def last(container):
    """The exchange that was recorded last."""
    return newest(container.request_log())[0]


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (401, "POST", "/v1/predictions", JSON),
        (401, "POST", "/v1/predictions/batch", {"Content-Type": "text/csv"}),
        (403, "POST", "/v1/models/a/promote", JSON | {"X-API-Key": "secret-of-the-shop"}),
        (404, "POST", "/v1/nothing", JSON),
        (405, "PUT", "/v1/predictions", JSON | {"X-API-Key": "secret-of-the-shop"}),
        (413, "POST", "/v1/predictions", JSON | {"X-API-Key": "secret-of-the-shop"}),
        (415, "POST", "/v1/predictions", {"X-API-Key": "secret-of-the-shop"}),
    ],
)
def test_of_a_refused_body_the_record_keeps_its_beginning(status, method, path, headers):
    container = with_champion(in_memory(api_keys=KEYS))
    client = testing.TestClient(app_of(container))
    body = LARGE + b"!" if status == 413 else LARGE
    answer = client.simulate_request(method, path, body=body, headers=headers)
    assert answer.status_code == status
    exchange = last(container)
    assert exchange.request_body == body[:KEPT]
    assert exchange.request_truncation.bytes == len(body)
    assert exchange.request_truncation.sha256 == hashlib.sha256(body).hexdigest()
    assert exchange.response_truncation is None


def test_a_small_refused_body_is_kept_whole(client, container):
    client.simulate_put("/v1/predictions", json=STONE)
    assert json.loads(last(container).request_body) == STONE
    assert last(container).request_truncation is None


def test_text_is_not_cut_within_a_character(client, container):
    client.simulate_put("/v1/predictions", body=b"a" + LARGE, headers=JSON)
    assert last(container).request_body == b"a" + LARGE[: KEPT - 2]


def test_the_record_of_refused_bodies_is_small(trained_home):
    with serving(trained_home, DIAMOND_API_KEYS=KEYS) as service:
        for _ in range(6):
            answer = service.post(
                "/v1/predictions/batch", b"x" * 16_000_000, {"Content-Type": "text/csv"}
            )
            assert answer.status == 401
        found = service.get("/readyz").json
        assert found["status"] == "ok"
    files = [*(trained_home / "spool").glob("*"), *trained_home.glob("requests.db*")]
    assert sum(file.stat().st_size for file in files) < 1_000_000


HEAD = b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
BROKEN = [
    b'5\r\n{"car\r\nX\r\n\r\n',  # a size that is no number
    b'5\r\n{"carXX\r\n0\r\n\r\n',  # no line end after the chunk
    b"FFFFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    b"-1\r\n{}\r\n0\r\n\r\n",
    b"5\r\n{",  # the connection ends within a chunk
]


@pytest.mark.parametrize("chunks", BROKEN)
def test_a_broken_chunk_is_the_callers_error(service, chunks):
    for path in (b"/v1/predictions", b"/v1/nothing"):
        head = HEAD % path
        answer = answer_to(
            service, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, then_close=True
        )
        assert answer == b"" or answer.split(b" ")[1] in (b"400", b"404")
    check_log(service)


def test_a_connection_that_ends_within_a_body_is_no_error_of_ours(service):
    head = HEAD % b"/v1/predictions"
    answer = answer_to(service, head + b"Content-Length: 100\r\n\r\n{", then_close=True)
    assert answer.split(b" ")[1] == b"400"
    with connected(service) as connection:  # and one that is reset
        connection.sendall(head + b"Content-Length: 1000000\r\n\r\n" + b" " * 70_000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(service.answers, "the service goes on")
    check_log(service)


def check_log(service):
    log = service.log.read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert '"error"' not in log


def test_an_answer_of_any_size_is_sent_whole_and_recorded_by_its_beginning(trained_home):
    row = "0.5,Ideal,E,VS1," + "x" * 60 + "\n"
    text = ("carat,cut,color,clarity,note\n" + row * 110_000).encode()
    assert KEPT_WHOLE < len(text) < 16_000_000
    with serving(trained_home) as service:
        answer = service.post("/v1/predictions/batch", text, {"Content-Type": "text/csv"})
        assert answer.status == 200
        assert answer.body.count(b"\n") == 110_001
        key = service.one_time_key
        id = service.get("/v1/requests", key).json["requests"][0]["id"]
        found = service.get(f"/v1/requests/{id}", key).json
    for name, body in (("request", text), ("response", answer.body)):
        assert found[f"{name}_body"].encode() == body[:KEPT]
        digest = hashlib.sha256(body).hexdigest()
        assert found[f"{name}_truncation"] == {"bytes": len(body), "sha256": digest}
