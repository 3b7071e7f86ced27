"""Input that can't be used is answered with a problem document that says what to do, never with 500.

What a real socket has to do with it is in ``test_service.py``.
"""

from __future__ import annotations

import bisect
import json
import re

import pytest
from falcon import testing
from support import STONE
from wired import in_memory, with_champion

from diamond_app.wsgi import app_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client():
    """The whole application, on adapters in memory."""
    return testing.TestClient(app_of(with_champion(in_memory())))


def post(client, path, body, headers=JSON):
    """Post bytes, or JSON values."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.simulate_post(path, body=sent, headers=headers)


def test_names_every_request(client):
    assert re.fullmatch(r"[0-9a-f]{32}", client.simulate_get("/livez").headers["x-request-id"])
    own = client.simulate_get("/v1/nothing", headers={"X-Request-ID": "my-own.id:1"})
    assert own.headers["x-request-id"] == own.json["request_id"] == "my-own.id:1"
    mad = client.simulate_get("/v1/nothing", headers={"X-Request-ID": "<script>" * 20})
    assert "<" not in mad.headers["x-request-id"]


GOOD = json.dumps(STONE).encode()
BAD_STONES = [
    (b"", 400),
    (b" ", 400),
    (b"{", 400),
    (b"nonsense", 400),
    (b"\xff\xfe", 400),
    (b'{"carat": NaN}', 400),
    (b'{"carat": Infinity}', 400),
    (b'{"carat": 1e999}', 400),
    (b'{"cut": "\\ud800"}', 400),
    (b'{"carat": -1e400}', 400),
    (b'{"carat": ' + b"9" * 5000 + b"}", 400),
    (b'{"carat": 1, }', 400),
    (b"\xef\xbb\xbf" + GOOD, 400),
    (GOOD.decode().encode("utf-16"), 400),
    (GOOD + b"x", 400),
    (GOOD + GOOD, 400),
    (b'{"\xff": 1}', 400),
    (b'{"\xed\xa0\x80": 1}', 400),
    (b"[" * 100_000, 400),
    (b'{"carat":' * 100_000, 400),
    (b"[]", 422),
    (b"[1]", 422),
    (b"null", 422),
    (b'"Ideal"', 422),
    (b"17", 422),
    (b"{}", 422),
    (b'{"carat": ' + b"9" * 400 + b"}", 422),
    (GOOD[:-1] + b', "carat": 0}', 422),
    (GOOD[:-1] + rb', "\ud83d\udc8e\u0000": 1}', 422),
    ({"carat": -1}, 422),
    (STONE | {"carat": -1}, 422),
    (STONE | {"carat": 0}, 422),
    (STONE | {"carat": 10**30}, 422),
    (STONE | {"carat": 1e308}, 422),
    (STONE | {"carat": "1.1"}, 422),
    (STONE | {"carat": True}, 422),
    (STONE | {"carat": None}, 422),
    (STONE | {"carat": [1]}, 422),
    (STONE | {"cut": "Excellent"}, 422),
    (STONE | {"cut": 4}, 422),
    (STONE | {"color": {}}, 422),
    (STONE | {"clarity": ""}, 422),
    (STONE | {"weight": 1}, 422),
    (STONE | {"depth": -61}, 422),
    (STONE | {"depth": 61.5, "x": 6.6, "y": 6.6, "z": 2}, 422),
]


@pytest.mark.parametrize(("body", "status"), BAD_STONES, ids=lambda value: str(value)[:40])
def test_answers_bad_input_with_a_problem_that_says_what_to_do(client, body, status):
    answer = post(client, "/v1/predictions", body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json
    assert set(told) >= {"type", "title", "status", "detail", "instance", "request_id"}
    assert told["status"] == status
    assert told["instance"] == "/v1/predictions"
    assert told["request_id"] == answer.headers["x-request-id"]
    if status == 422:
        assert told["errors"]
        assert all(set(each) == {"pointer", "detail"} for each in told["errors"])


@pytest.mark.parametrize("within", [b'{"cut": %s}', b'{"a": %s}', b'{"diamonds": [{"cut": %s}]}'])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["[", "{"])
def test_takes_no_nesting_for_a_fault_of_its_own(client, within, opens, closes):
    path = "/v1/predictions/batch" if b"diamonds" in within else "/v1/predictions"

    def status(deep):
        return post(client, path, within % (opens * deep + b"1" + closes * deep)).status_code

    depths = range(10, 100_000)
    limit = bisect.bisect_left(depths, 400, key=lambda deep: 400 if status(deep) == 400 else 0)
    near = depths[max(limit - 60, 0) : limit]
    assert [deep for deep in near if status(deep) != 422] == []
    assert status(100_000) == 400


def test_names_every_wrong_field_at_once(client):
    wrong = {"carat": "heavy", "cut": "Idol", "color": "H", "depth": -1, "a/b": 1}
    errors = post(client, "/v1/predictions", wrong).json["errors"]
    told = {each["pointer"]: each["detail"] for each in errors}
    assert set(told) == {"/carat", "/cut", "/clarity", "/depth", "/a~1b"}
    assert "Fair, Good, Very Good, Premium, Ideal" in told["/cut"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"diamonds": [STONE, STONE | {"carat": 0}, 7]}, ["/diamonds/1/carat", "/diamonds/2"]),
        ({"diamonds": [STONE | {"cut": "x", "z": "y"}]}, ["/diamonds/0/cut", "/diamonds/0/z"]),
        ({"diamonds": [STONE | {"extra": 1}]}, ["/diamonds/0/extra"]),
        ({"diamonds": []}, ["/diamonds"]),
        ({"diamonds": STONE}, ["/diamonds"]),
        ({"stones": [STONE]}, ["/diamonds"]),
        ({"diamonds": [STONE], "more": 1}, ["/more"]),
        ([STONE], ["/diamonds"]),
    ],
    ids=str,
)
def test_names_bad_stones_of_a_batch_by_their_index(client, body, pointers):
    answer = post(client, "/v1/predictions/batch", body)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == pointers


def test_bounds_how_many_errors_it_names(client):
    answer = post(client, "/v1/predictions/batch", {"diamonds": [{}] * 500})
    assert len(answer.json["errors"]) == 101
    assert answer.json["errors"][-1]["detail"] == "and 1,900 more"


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("", ["/carat", "/cut", "/color", "/clarity"]),
        ("carat=x&cut=ideal&color=h&clarity=si2", ["/carat"]),
        ("carat=nan&cut=ideal&color=h&clarity=si2", ["/carat"]),
        ("carat=1&cut=ideal&color=h&clarity=si2&n=0", ["/n"]),
        ("carat=1&cut=ideal&color=h&clarity=si2&n=1001", ["/n"]),
        ("carat=1&cut=ideal&color=h&clarity=si2&n=2.5", ["/n"]),
        ("carat=1&cut=ideal&color=h&clarity=si2&n=%C2%B2", ["/n"]),
        ("carat=1&cut=ideal&color=h&clarity=si2&weight=1", ["/weight"]),
        ("carat=1&carat=2&cut=ideal&color=h&clarity=si2", ["/carat"]),
        ("carat=1&cut=%FF&color=h&clarity=si2", ["/cut"]),
    ],
    ids=str,
)
def test_names_bad_parameters(client, query, pointers):
    answer = client.simulate_get(f"/v1/similar?{query}")
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == pointers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_refuses_other_content_types(client, kind):
    answer = post(client, "/v1/predictions", b"{}", {"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/json" in answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/models/nothing", 404),
        ("GET", "/v1/models/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/v1/predictions", 405),
        ("DELETE", "/v1/similar", 405),
        ("POST", "/v1/models/x/promote", 403),
    ],
)
def test_answers_what_is_not_there_with_a_problem(client, method, path, status):
    answer = client.simulate_request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]
