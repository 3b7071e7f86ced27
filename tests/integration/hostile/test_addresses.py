"""A path has one form: what passes the rules of a proxy is what the service answers and records."""

from __future__ import annotations

import pytest
from sockets import answer_to
from support import STONE, serving

QUERY = "carat=1.1&cut=Ideal&color=H&clarity=SI2"


@pytest.mark.parametrize(
    "path",
    [
        f"//v1/similar?{QUERY}",
        f"/v1//similar?{QUERY}",
        "/%2fv1/models",
        "/%2Fv1/models",
        "/v1%2fmodels",
        "/v1/models%2Fchampion",
        "//v1/requests",
        "//metrics",
        "//livez",
        "/livez//",
        "//",
        "//docs",
    ],
)
def test_a_path_with_an_empty_segment_or_an_encoded_slash_is_not_found(service, path):
    answer = service.get(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_caller_can_not_move_the_service_to_another_path(service):
    sent = "GET {} HTTP/1.1\r\nHost: a\r\n{}Connection: close\r\n\r\n"
    for path, header in (
        ("/q/metrics", "SCRIPT_NAME: /q\r\n"),
        ("/q/metrics", "Script-Name: /q\r\n"),
        ("/", "PATH_INFO: /metrics\r\n"),
    ):
        answer = answer_to(service, sent.format(path, header).encode())
        assert b"diamond_build_info" not in answer
    assert b"diamond_build_info" in answer_to(service, sent.format("/metrics", "").encode())


def test_all_that_is_answered_under_v1_is_recorded(trained_home):
    with serving(trained_home) as service:
        for path in ("/v1/models/", "/v1/nothing", "/v1/mod%65ls", "/v1/./models", "/v1/models;a"):
            service.get(path)
        service.post("/v1/predictions", STONE)
        service.request("DELETE", "/v1/models")
        found = service.get("/v1/requests", service.one_time_key).json["requests"]
    assert [(each["method"], each["path"], each["status"]) for each in found] == [
        ("DELETE", "/v1/models", 405),
        ("POST", "/v1/predictions", 200),
        ("GET", "/v1/models;a", 404),
        ("GET", "/v1/./models", 404),
        ("GET", "/v1/models", 200),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/models", 200),
    ]
