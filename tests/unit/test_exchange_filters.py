from datetime import UTC, datetime, timedelta

import pytest

from diamond_app.exchange_filters import parse_age, parse_duration_ms, parse_filter, parse_time
from diamond_core import ExchangeFilter

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("90d", timedelta(days=90)),
        ("2h", timedelta(hours=2)),
        (" 15m ", timedelta(minutes=15)),
        ("0s", timedelta(0)),
        ("2w", timedelta(days=14)),
    ],
)
def test_reads_ages(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5d", "1y", "९d", "1d1h", f"{'9' * 16}d"])
def test_refuses_what_is_no_age(text):
    with pytest.raises(ValueError, match="90d"):
        parse_age(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31 12:30", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("2026-01-31T12:30:01.000002Z", datetime(2026, 1, 31, 12, 30, 1, 2, tzinfo=UTC)),
        ("2026-01-31T12:30:00+02:00", datetime(2026, 1, 31, 10, 30, tzinfo=UTC)),
        ("2026-01-31T12:30:00 02:00", datetime(2026, 1, 31, 10, 30, tzinfo=UTC)),
    ],
)
def test_reads_times(text, time):
    assert parse_time(text, NOW) == time


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "999999w", "0001-01-01T00:00+23:00"]
)
def test_refuses_what_is_no_time(text):
    with pytest.raises(ValueError, match="such as 2h"):
        parse_time(text, NOW)


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("250", 250), ("250ms", 250), ("1.5s", 1500), ("0", 0)]
)
def test_reads_durations(text, milliseconds):
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "-1", "fast", "1m", "nan", "1e3", "inf"])
def test_refuses_what_is_no_duration(text):
    with pytest.raises(ValueError, match="milliseconds"):
        parse_duration_ms(text)


def test_names_every_wrong_value_at_once():
    given = {"since": "x", "status": "6xx", "slower_than": "slow", "path": "/v1", "id": ""}
    _, wrong = parse_filter(given, NOW)
    assert set(wrong) == {"since", "status", "slower_than"}


def test_builds_a_filter():
    given = {"since": "1d", "status": "4XX", "model": "m", "slower_than": "1s", "path": "/v1"}
    given["key"] = "shop"
    assert parse_filter(given, NOW) == (
        ExchangeFilter(
            since=NOW - timedelta(days=1),
            status="4xx",
            model_id="m",
            slower_than_ms=1000.0,
            path="/v1",
            key_name="shop",
        ),
        {},
    )
