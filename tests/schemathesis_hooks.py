"""What JSON Schema can't say of a stone, told to schemathesis (``SCHEMATHESIS_HOOKS``)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import schemathesis

from diamond_core.stones.fields import AGREEMENTS, GRADES, NUMBERS
from diamond_core.stones.stone_records import FIRST_DAY


@schemathesis.hook
def before_call(context, case, kwargs):
    """Change stones that fit the schema and are refused.

    Weights of which the model knows nothing become one carat, and stones whose numbers contradict
    each other lose their height.
    """
    body = case.body if isinstance(case.body, dict) else {}
    batch = body.get("diamonds")
    stones = [*_stones(body), case.query, *(batch if isinstance(batch, list) else [])]
    for stone in stones:
        if not isinstance(stone, dict):
            continue
        if _is_far(stone.get("carat")):
            stone["carat"] = type(stone["carat"])(1)
        if _contradicts(stone):
            del stone["z"]
    if "price_paid" in body and _is_impossible(body.get("date")):
        del body["date"]


@schemathesis.hook
def filter_body(context, body):
    """Leave out loosely written grades ('very good'): they fit no enum and are taken."""
    return not isinstance(body, dict) or not any(map(_is_loose, _stones(body)))


@schemathesis.hook
def filter_query(context, query):
    """Leave out the same in a query."""
    return not _is_loose(query or {})


def _stones(body):
    """Return the stones that a body is or has, other than those of a batch."""
    other = body.get("compared_with")
    return [body, *([other] if isinstance(other, dict) else [])]


def _is_far(carat):
    """Return whether a weight is allowed, and far from those of the bundled stones."""
    try:
        weight = float(carat)  # in a query it is a text
    except (TypeError, ValueError):
        return False
    allowed = NUMBERS["carat"].minimum <= weight <= NUMBERS["carat"].maximum
    return allowed and not isinstance(carat, bool) and not 0.2 <= weight <= 5.0


def _contradicts(stone):
    for each in AGREEMENTS:
        try:
            if each.is_broken(*(float(stone[name]) for name in each.fields)):
                return True
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            continue
    return False


def _is_impossible(day):
    """Return whether a day is one on which no price can have been paid."""
    try:
        return not FIRST_DAY <= date.fromisoformat(day) <= datetime.now(UTC).date()
    except (TypeError, ValueError):
        return False


def _is_loose(stone):
    return any(
        name in stone and stone[name] not in field.members and field.read(stone[name]) is not None
        for name, field in GRADES.items()
    )
