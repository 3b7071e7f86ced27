"""Parse user input for an ``ExchangeFilter``: times, ages, durations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from diamond_core import ExchangeFilter, InvalidFilter

AGE_OR_TIME: Final = r"^([0-9]{1,6}[smhdw]|20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]))?$"
"""The pattern of ages and days for the OpenAPI document: ``parse_time`` reads more."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE: Final = re.compile(r"([0-9]{1,15})([smhdw])")
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|)")
_LOST_PLUS: Final = re.compile(r"(T\S+) ([0-9]{2}:?[0-9]{2})")


def parse_age(text: str) -> timedelta:
    """Return the age that a text such as ``90d``, ``2h`` or ``15m`` means.

    Raises:
        ValueError: the text is not an age.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a number and one of s, m, h, d, w, such as 90d")
    try:
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    except OverflowError:
        raise ValueError("is too long") from None


def parse_time(text: str, now: datetime) -> datetime:
    """Return the time in UTC that a text means: ISO 8601 (UTC without a zone), or an age.

    Raises:
        ValueError: the text is neither.
    """
    text = text.strip()
    try:
        if _AGE.fullmatch(text):
            return now - parse_age(text)
        # in a URL, an unencoded + is read as a space
        time = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as ex:
        raise ValueError(
            "must be a time such as 2026-01-31T12:00 (UTC), or an age such as 2h or 3d"
        ) from ex


def parse_duration_ms(text: str) -> float:
    """Return the milliseconds that a text such as ``250``, ``250ms`` or ``1.5s`` means.

    Raises:
        ValueError: the text is not a duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be milliseconds such as 250, or seconds such as 1.5s")
    return float(found[1]) * (1000.0 if found[2] == "s" else 1.0)


def parse_filter(given: Mapping[str, str], now: datetime) -> tuple[ExchangeFilter, dict[str, str]]:
    """Return the filter that the *given* texts describe, and the errors, both by name.

    The names are those of ``FILTERS``; others are ignored.
    """
    fields: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, (field, parse) in FILTERS.items():
        text = given.get(name)
        if text:
            try:
                fields[field] = parse(text, now)
                ExchangeFilter(**{field: fields[field]})
            except InvalidFilter as ex:
                wrong[name] = ex.detail
            except ValueError as ex:
                wrong[name] = str(ex)
    return (ExchangeFilter() if wrong else ExchangeFilter(**fields)), wrong


def _unchanged(text: str, now: datetime) -> str:
    return text


def _status(text: str, now: datetime) -> str:
    return text.lower()


def _duration(text: str, now: datetime) -> float:
    return parse_duration_ms(text)


FILTERS: Final[dict[str, tuple[str, Callable[[str, datetime], object]]]] = {
    "id": ("id", _unchanged),
    "request_id": ("request_id", _unchanged),
    "since": ("since", parse_time),
    "until": ("until", parse_time),
    "status": ("status", _status),
    "path": ("path", _unchanged),
    "model": ("model_id", _unchanged),
    "key": ("key_name", _unchanged),
    "slower_than": ("slower_than_ms", _duration),
}
"""Option -> (field of ``ExchangeFilter``, function of a text and the current time)."""
