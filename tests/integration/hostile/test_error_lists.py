"""However much is wrong, an answer names a hundred errors and the number of the others."""

from __future__ import annotations

import json

import pytest
from support import STONE


def post(client, path, body):
    return client.simulate_post(
        path, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/predictions", STONE | {f"f{n}": 1 for n in range(100_000)}),
        ("/v1/predictions/batch", {"diamonds": [STONE | {f"f{n}": 1 for n in range(100_000)}]}),
        ("/v1/predictions/batch", {"diamonds": [STONE], **{f"f{n}": 1 for n in range(100_000)}}),
        ("/v1/predictions/batch", {"diamonds": [{}] * 10_000}),
        ("/v1/predictions/batch", {"diamonds": [7] * 10_000}),
    ],
    ids=["one stone", "a stone of a batch", "a batch", "empty stones", "no stones"],
)
def test_names_a_hundred_errors(client, path, body):
    answer = post(client, path, body)
    assert answer.status_code == 422
    errors = answer.json["errors"]
    assert len(errors) == 101
    assert errors[-1]["detail"].endswith(" more")
    assert len(answer.content) < 30_000


def test_counts_the_stones_before_it_reads_them(client):
    for stone in ({}, STONE):
        answer = post(client, "/v1/predictions/batch", {"diamonds": [stone] * 10_001})
        assert answer.status_code == 422
        assert answer.json["errors"] == [
            {
                "pointer": "/diamonds",
                "detail": "can contain at most 10,000 diamonds; send 10,001 in parts",
            }
        ]


def test_names_a_hundred_unknown_parameters(client):
    query = "&".join(f"p{n}=1" for n in range(500))
    answer = client.simulate_get("/v1/similar", query_string=query)
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 101


def test_a_batch_can_report_its_errors_and_price_the_others(client):
    stones = [STONE, STONE | {"cut": "Good-ish"}, {"carat": 2}, STONE | {"carat": 2}, 5]
    answer = post(client, "/v1/predictions/batch", {"diamonds": stones, "on_error": "report"})
    assert answer.status_code == 200
    predictions, errors = answer.json["predictions"], answer.json["errors"]
    assert [each is None for each in predictions] == [False, True, True, False, True]
    assert [each["pointer"] for each in errors] == [
        "/diamonds/1/cut",
        "/diamonds/2/cut",
        "/diamonds/2/color",
        "/diamonds/2/clarity",
        "/diamonds/4",
    ]
    ids = [each["id"] for each in predictions if each]
    assert [id.rpartition("-")[2] for id in ids] == ["0", "3"]
    single = post(client, "/v1/predictions", STONE | {"carat": 2}).json
    assert predictions[3]["price"] == single["price"]
    all_wrong = post(client, "/v1/predictions/batch", {"diamonds": [{}], "on_error": "report"})
    assert all_wrong.json["predictions"] == [None]
    assert (
        post(client, "/v1/predictions/batch", {"diamonds": [STONE], "on_error": "ignore"}).json[
            "errors"
        ][0]["pointer"]
        == "/on_error"
    )
