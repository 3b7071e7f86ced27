"""From JSON and query strings to stones, with every wrong value named at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import falcon
import orjson

from diamond_app.api.problems import Problem, invalid_values, pointer_token
from diamond_core import FIELDS, Diamond, DiamondTable, InvalidDiamond
from diamond_core.stones.cleaning import read_columns
from diamond_core.stones.diamond import NOT_A_FIELD
from diamond_core.stones.fields import REQUIRED

MOST_SIMILAR: Final = 1000
DEFAULT_SIMILAR: Final = 5
_MOST_ERRORS: Final = 100


def json_body(req: falcon.Request) -> Any:
    """Return the request's body as JSON values.

    Raises:
        Problem: 415 for another content type, 400 where the body is no JSON.
    """
    content_type = req.content_type or "none"
    if content_type.partition(";")[0].strip().lower() != "application/json":
        told = "send JSON with 'Content-Type: application/json'"
        if req.path == "/v1/predictions/batch":
            told += " or a CSV with 'Content-Type: text/csv'"
        raise Problem(415, f"{told}, not {content_type}")
    body: bytes = req.context.body
    if not body.strip():
        raise Problem(400, "the body is empty; send a JSON object")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as ex:
        hint = " (NaN and Infinity are no JSON; leave unknown values out)" if _has_nan(body) else ""
        raise Problem(400, f"the body is not valid JSON: {ex}{hint}") from ex


def diamond_from_json(values: Any) -> Diamond:
    """Return the stone that a JSON object describes.

    Raises:
        Problem: 422, with a pointer to every wrong value.
    """
    if not isinstance(values, dict):
        raise invalid_values([("", f"must be a JSON object with {', '.join(REQUIRED)}")])
    return Diamond.parse(values)


def table_from_json(values: Any) -> DiamondTable:
    """Return the stones of ``{"diamonds": [...]}``.

    Raises:
        Problem: 422, with a pointer such as ``/diamonds/3/carat`` to every wrong value.
    """
    if not isinstance(values, dict) or not isinstance(values.get("diamonds"), list):
        raise invalid_values([("/diamonds", "must be a list of diamonds")])
    if len(values) > 1:
        unknown = [name for name in values if name != "diamonds"]
        raise invalid_values([(f"/{pointer_token(n)}", "is not a field here") for n in unknown])
    diamonds = values["diamonds"]
    if not diamonds:
        raise invalid_values([("/diamonds", "must hold at least one diamond")])
    wrong = {
        at: [("", "must be a JSON object")]
        for at, values in enumerate(diamonds)
        if not isinstance(values, dict)
    }
    stones = (
        [{} if at in wrong else values for at, values in enumerate(diamonds)] if wrong else diamonds
    )
    given = set().union(*stones)
    columns = {name: [values.get(name) for values in stones] for name in FIELDS if name in given}
    rows, problems = read_columns(columns, len(stones), text=False, priced=False)
    for at, found in problems.items():
        wrong.setdefault(at, [(f"/{each.field}", each.detail) for each in found])
    if not given <= FIELDS.keys():
        for at, stone in enumerate(stones):
            unknown = [(f"/{pointer_token(n)}", NOT_A_FIELD) for n in stone if n not in FIELDS]
            if unknown:
                wrong.setdefault(at, []).extend(unknown)
    if wrong:
        raise invalid_values(_first_errors(wrong))
    return DiamondTable(rows)


def _first_errors(wrong: Mapping[int, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return the errors in the order of the stones, and how many there are beyond the first."""
    errors = [
        (f"/diamonds/{at}{pointer}", detail)
        for at in sorted(wrong)
        for pointer, detail in wrong[at]
    ]
    more = len(errors) - _MOST_ERRORS
    return [*errors[:_MOST_ERRORS], ("/diamonds", f"and {more} more")] if more > 0 else errors


def similar_from_query(req: falcon.Request) -> tuple[Diamond, int]:
    """Return the stone and the number asked for by ``?carat=&cut=&color=&clarity=&n=``.

    Raises:
        Problem: 422, with a pointer to every wrong parameter.
    """
    wrong: list[tuple[str, str]] = []
    values: dict[str, object] = {}
    for name, value in req.params.items():
        if isinstance(value, list):
            wrong.append((f"/{pointer_token(name)}", "stands more than once"))
        else:
            values[name] = value
    n = _count(values.pop("n", None), wrong)
    try:
        diamond = Diamond.parse(values, text=True)
    except InvalidDiamond as ex:
        wrong += [
            (f"/{pointer_token(p.field)}", p.detail)
            for p in ex.problems
            if p.field not in _twice(req)
        ]
    if wrong:
        raise invalid_values(wrong)
    return diamond, n


def query_texts(
    req: falcon.Request, known: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the *known* parameters of the query, and by name what is wrong with the others."""
    given: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, value in req.params.items():
        if name not in known:
            wrong[pointer_token(name)] = (
                f"is no parameter here; known are {', '.join(sorted(known))}"
            )
        elif isinstance(value, list):
            wrong[name] = "stands more than once"
        else:
            given[name] = value
    return given, wrong


def _twice(req: falcon.Request) -> set[str]:
    return {name for name, value in req.params.items() if isinstance(value, list)}


def _count(text: object, wrong: list[tuple[str, str]]) -> int:
    if text is None:
        return DEFAULT_SIMILAR
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9:
        n = int(text)
        if 1 <= n <= MOST_SIMILAR:
            return n
    wrong.append(("/n", f"must be a whole number from 1 to {MOST_SIMILAR}"))
    return DEFAULT_SIMILAR


def text_field(values: Any, name: str) -> str:
    """Return a text that a JSON object must hold under *name*, and nothing else.

    Raises:
        Problem: 422.
    """
    if isinstance(values, Mapping) and (unknown := [other for other in values if other != name]):
        raise invalid_values([(f"/{pointer_token(n)}", "is not a field here") for n in unknown])
    found = values.get(name) if isinstance(values, Mapping) else None
    if not isinstance(found, str) or not found.strip():
        raise invalid_values([(f"/{name}", "must be a text that is not blank")])
    return found.strip()


def _has_nan(body: bytes) -> bool:
    return b"NaN" in body or b"Infinity" in body
