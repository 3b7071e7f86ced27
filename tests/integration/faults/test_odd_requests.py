"""Whatever bytes are sent, the record holds them as they were, and whose answer they got."""

from __future__ import annotations

import http.client
import json

from load import ALL_WELL, Asked, compare, send, shipped
from support import STONE, serving

SQL = "'; DROP TABLE exchanges; -- \" \\ %s :x ? ` /* {}"
PRICES, BATCHES = "/v1/predictions", "/v1/predictions/batch"
ODD = [
    Asked("POST", PRICES, "💎 é 漢字 \u200b".encode()),
    Asked("POST", PRICES, b'{"carat": "\x00"}'),
    Asked("POST", PRICES, b"\x00" * 1000),
    Asked("POST", PRICES, rb'{"cut": "\ud83d"}'),
    Asked("POST", PRICES, b'{"cut": "\xed\xa0\xbd"}'),
    Asked("POST", PRICES, b"\xff\xfe\x80" + bytes(range(256))),
    Asked("POST", PRICES, json.dumps({"cut": SQL}).encode()),
    Asked("POST", PRICES, b"base64:/w=="),
    Asked("POST", BATCHES, json.dumps({"diamonds": [STONE] * 10_000}).encode()),
    Asked("POST", BATCHES, json.dumps({"diamonds": [STONE | {"cut": "Poor"}] * 5000}).encode()),
    Asked("POST", "/v1/nothing", b"x" * (1 << 12)),
    Asked("GET", "/v1/nothing?q=%00%FF%F0%9F%92%8E&q='%20OR%201=1"),
    Asked("GET", "/v1/nothing?" + "y" * 3000),
    Asked("DELETE", "/v1/predictions"),
    Asked("PUT", "/v1/models/champion/promote", b"{}"),
]


def test_odd_requests_are_recorded_as_they_were(trained_home, mysql_url):
    with serving(trained_home, DIAMOND_DATABASE_URL=mysql_url) as service:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        noted = {f"odd-{n}": send(connection, asked, f"odd-{n}") for n, asked in enumerate(ODD)}
        connection.close()
        sql = {"X-Request-ID": SQL, "User-Agent": SQL, "Referer": SQL, "X-API-Key": SQL}
        answer = service.post(f"{PRICES}?a={'%27'}&b=--", STONE, sql)
        rows = shipped(noted | {answer.headers["x-request-id"]: noted["odd-0"]}, mysql_url)
    assert compare(noted, rows) == ALL_WELL
    with_sql = next(row for row in rows if row.request_id == answer.headers["x-request-id"])
    assert with_sql.headers["User-Agent"] == with_sql.headers["Referer"] == SQL
    assert with_sql.response_body == answer.body
    assert SQL not in with_sql.id
