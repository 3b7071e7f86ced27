"""Read stones from JSON and query strings, and name every invalid value at once.

msgspec decodes and checks valid JSON fast. It stops at the first error and accepts grades only in
their exact spelling, so what it refuses is read again, field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.problems import Problem, invalid_values, pointer_token
from diamond_app.responses import FULL_STONE, STONE, field_type
from diamond_core import FIELDS, Diamond, DiamondTable, FieldProblem, InvalidDiamond, InvalidTable
from diamond_core.stones.cleaning import read_columns
from diamond_core.stones.diamond import NOT_A_FIELD
from diamond_core.stones.fields import REQUIRED

COMPARED_WITH: Final = "compared_with"
MAXIMUM_STONES: Final = 10_000
"""The maximum number of stones in a JSON batch."""
_NAMED_OF_A_STONE: Final = 20
"""How many errors of one stone are named if the other stones are priced."""

STONE_FIELDS: Final[list[Any]] = [
    (name, field_type(each), *(() if each.required else (None,))) for name, each in FIELDS.items()
]
"""The fields of a stone in a body or a query, as ``msgspec.defstruct`` takes them."""

StoneBody: Any = msgspec.defstruct(
    "Diamond",
    STONE_FIELDS,
    namespace={
        "__doc__": "A stone: the four Cs, and measurements if they are known. A measurement that"
        " is left out or null is unknown; the price can then be less accurate.",
        "EXAMPLES": (STONE, FULL_STONE),
    },
    kw_only=True,
    forbid_unknown_fields=True,
    gc=False,
)


StoneToPrice: Any = msgspec.defstruct(
    "StoneToPrice",
    [
        (
            "explain",
            Annotated[bool, Meta(description="Whether to say why the stone has its price.")],
            False,
        )
    ],
    bases=(StoneBody,),
    namespace={
        "__doc__": "A stone to price: the four Cs, and measurements if they are known. A"
        " measurement that is left out or null is unknown; the price can then be less accurate.",
        "EXAMPLES": (STONE, FULL_STONE | {"explain": True}),
    },
    kw_only=True,
    gc=False,
)
StoneToExplain: Any = msgspec.defstruct(
    "StoneToExplain",
    [
        (
            COMPARED_WITH,
            Annotated[
                StoneBody | None,
                Meta(description="The stone to start from; without it, the typical stone."),
            ],
            None,
        )
    ],
    bases=(StoneBody,),
    namespace={
        "__doc__": "A stone to price, and a stone to compare it with.",
        "EXAMPLES": (STONE, FULL_STONE | {COMPARED_WITH: STONE}),
    },
    kw_only=True,
)


class Batch(Struct, forbid_unknown_fields=True):
    """Stones to price."""

    diamonds: Annotated[
        list[StoneBody], Meta(description="The stones.", min_length=1, max_length=MAXIMUM_STONES)
    ]
    on_error: Annotated[
        Literal["refuse", "report"],
        Meta(
            description="What an invalid stone does: refuse the whole batch, or report its errors"
            " and price the others."
        ),
    ] = "refuse"

    EXAMPLES = ({"diamonds": [STONE, FULL_STONE]},)


_decode_to_price: Final = msgspec.json.Decoder(StoneToPrice).decode
_decode_to_explain: Final = msgspec.json.Decoder(StoneToExplain).decode
decode_batch: Final = msgspec.json.Decoder(Batch).decode
_decode_any: Final = msgspec.json.Decoder().decode
values_of: Final = attrgetter(*FIELDS)
"""Returns the values of a decoded stone, in the order of the fields."""
_VALUES: Final = tuple((name, attrgetter(name)) for name in FIELDS)
"""Each field, and the function that returns its value in a decoded stone."""
REFUSED: Final = (ValueError, RecursionError)
"""What decoding raises; msgspec's own errors are ``ValueError``s."""


def read_json(body: bytes) -> Any:
    """Return the body of a request as JSON values.

    Raises:
        Problem: 400, the body is not JSON.
    """
    if not body.strip():
        raise Problem(400, "the body is empty; send a JSON object")
    try:
        return _decode_any(body)
    except RecursionError:
        raise Problem(400, "the body is not valid JSON: it is nested too deeply") from None
    except ValueError as ex:
        has_nan = b"NaN" in body or b"Infinity" in body
        hint = " (NaN and Infinity are not JSON; leave unknown values out)" if has_nan else ""
        raise Problem(400, f"the body is not valid JSON: {ex}{hint}") from ex


def read_stone_to_price(body: bytes) -> tuple[Diamond, bool]:
    """Return the stone of a request's body, and whether to explain its price.

    Raises:
        Problem: 400; 422 with a pointer to every invalid value.
        InvalidDiamond: its numbers contradict each other.
    """
    try:
        found = _decode_to_price(body)
        return Diamond.of_valid(values_of(found)), found.explain
    except REFUSED:
        values = _object(body)
    wrong: list[tuple[str, str]] = []
    explain = values.pop("explain", False)
    diamond = _stone(values, "", wrong)
    if not isinstance(explain, bool):
        wrong.append(("/explain", "must be true or false"))
    if diamond is None or wrong:
        raise invalid_values(wrong)
    return diamond, explain


def read_stone_to_explain(body: bytes) -> tuple[Diamond, Diamond | None]:
    """Return the stone of a request's body, and the stone to compare it with, if there is one.

    Raises:
        Problem: 400; 422 with a pointer to every invalid value.
    """
    try:
        found = _decode_to_explain(body)
        given = found.compared_with
        compared_with = None if given is None else Diamond.of_valid(values_of(given))
        return Diamond.of_valid(values_of(found)), compared_with
    except (*REFUSED, InvalidDiamond):
        values = _object(body)
    wrong: list[tuple[str, str]] = []
    given = values.pop(COMPARED_WITH, None)
    diamond = _stone(values, "", wrong)
    other = None
    if isinstance(given, dict):
        other = _stone(given, f"/{COMPARED_WITH}", wrong)
    elif given is not None:
        wrong.append((f"/{COMPARED_WITH}", "must be a stone: a JSON object"))
    if diamond is None or wrong:
        raise invalid_values(wrong)
    return diamond, other


def _object(body: bytes) -> dict[str, Any]:
    values = read_json(body)
    if not isinstance(values, dict):
        raise invalid_values([("", f"must be a JSON object with {', '.join(REQUIRED)}")])
    return values


def _stone(values: dict[str, Any], at: str, wrong: list[tuple[str, str]]) -> Diamond | None:
    """Return the stone, or None after what is wrong with it is added to *wrong*."""
    try:
        return Diamond.parse(values)
    except InvalidDiamond as ex:
        wrong += [(f"{at}/{pointer_token(each.field)}", each.detail) for each in ex.problems]
        return None


class BatchStones(NamedTuple):
    """The stones of a batch.

    Attributes:
        table: the valid stones, in their order.
        wrong: the errors of each invalid one, as (pointer, detail), by its index.
    """

    table: DiamondTable
    wrong: Mapping[int, list[tuple[str, str]]]


Refusals = Callable[[DiamondTable], Mapping[int, FieldProblem]]
"""Returns why some stones of a table can't be priced, by their position."""


def read_stones(req: Request, refusals: Refusals) -> BatchStones:
    """Return the stones of ``{"diamonds": [...]}`` without those of *refusals*, which are wrong too.

    Raises:
        Problem: 400; 422 with a pointer such as ``/diamonds/3/carat`` to every invalid value,
            unless the body asks to report them.
    """
    try:
        stones = decode_batch(req.context.body).diamonds
        columns = {name: list(map(value, stones)) for name, value in _VALUES}
        # a field that no stone has costs nothing; it is rare that only the first one lacks it
        given = {
            name: each
            for name, each in columns.items()
            if each[0] is not None or each.count(None) < len(each)
        }
        table = DiamondTable.of_valid(given)
        if not refusals(table):
            return BatchStones(table, {})
    except (*REFUSED, InvalidTable):
        pass
    return stones_from_json(read_json(req.context.body), refusals)


def stones_from_json(values: Any, refusals: Refusals = lambda _: {}) -> BatchStones:
    """Return the stones of JSON values, each field read by its own rule.

    Raises:
        Problem: as for ``read_stones``.
    """
    if not isinstance(values, dict) or not isinstance(values.get("diamonds"), list):
        raise invalid_values([("/diamonds", "must be a list of diamonds")])
    refuse_unknown(values, *Batch.__struct_fields__)
    on_error = values.get("on_error", "refuse")
    if on_error not in ("refuse", "report"):
        raise invalid_values([("/on_error", "must be 'refuse' or 'report'")])
    diamonds = values["diamonds"]
    if not diamonds:
        raise invalid_values([("/diamonds", "must contain at least one diamond")])
    if len(diamonds) > MAXIMUM_STONES:
        detail = f"can contain at most {MAXIMUM_STONES:,} diamonds; send {len(diamonds):,} in parts"
        raise invalid_values([("/diamonds", detail)])
    rows, wrong = _read_rows(diamonds)
    valid = np.array([at for at in range(len(rows)) if at not in wrong], dtype=np.intp)
    table = DiamondTable(rows[valid])
    refused = refusals(table)
    for position, problem in refused.items():
        at = int(valid[position])
        wrong[at] = [(f"/diamonds/{at}/{problem.field}", problem.detail)]
    if wrong and on_error == "refuse":
        raise invalid_values([each for at in sorted(wrong) for each in wrong[at]])
    keep = np.ones(len(table), dtype=bool)
    keep[list(refused)] = False
    return BatchStones(table[keep], {at: wrong[at][:_NAMED_OF_A_STONE] for at in sorted(wrong)})


def _read_rows(diamonds: Sequence[Any]) -> tuple[Any, dict[int, list[tuple[str, str]]]]:
    """Return the rows of the stones, and the errors of the invalid ones by their index."""
    wrong = {
        at: [(f"/diamonds/{at}", "must be a JSON object")]
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
        errors = [(f"/diamonds/{at}/{each.field}", each.detail) for each in found]
        wrong.setdefault(at, errors)
    if not given <= FIELDS.keys():
        for at, stone in enumerate(stones):
            unknown = [name for name in stone if name not in FIELDS]
            if unknown:
                wrong.setdefault(at, []).extend(
                    (f"/diamonds/{at}/{pointer_token(name)}", NOT_A_FIELD) for name in unknown
                )
    return rows, wrong


def read_query(req: Request, query: type[Struct]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters of *query* as they were given, and the errors, both by name."""
    given: dict[str, str] = {}
    wrong: dict[str, str] = {}
    known = query.__struct_fields__
    for name, value in req.params.items():
        if name not in known:
            wrong[pointer_token(name)] = f"is unknown; the parameters are {', '.join(known)}"
        elif isinstance(value, list):
            wrong[name] = "is given more than once"
        else:
            given[name] = value
    return given, wrong


def stone_of_query(given: dict[str, str], wrong: dict[str, str]) -> Diamond | None:
    """Return the stone that *given* describes, or None if it or anything before is *wrong*."""
    try:
        diamond = Diamond.parse(given, text=True)
    except InvalidDiamond as ex:
        for each in ex.problems:
            wrong.setdefault(pointer_token(each.field), each.detail)
        return None
    return None if wrong else diamond


def whole_number(
    given: Mapping[str, str], name: str, default: int, maximum: int, wrong: dict[str, str]
) -> int:
    """Return a whole number from 1 to *maximum* that a query gives under *name*, or the default."""
    text = given.get(name) or str(default)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= maximum:
        return int(text)
    wrong[name] = f"must be a whole number from 1 to {maximum}"
    return default


def invalid_parameters(wrong: Mapping[str, str]) -> Problem:
    """Return the problem of a query's invalid parameters, by name."""
    return invalid_values([(f"/{name}", detail) for name, detail in wrong.items()])


def read_text(req: Request, name: str) -> str:
    """Return the text under *name* in the body, a JSON object without other fields.

    Raises:
        Problem: 400, 422.
    """
    values = read_json(req.context.body)
    if isinstance(values, dict):
        refuse_unknown(values, name)
    found = values.get(name) if isinstance(values, dict) else None
    if not isinstance(found, str) or not found.strip():
        raise invalid_values([(f"/{name}", "must be a text that is not blank")])
    return found.strip()


def refuse_unknown(values: Mapping[str, Any], *known: str) -> None:
    """Raise a ``Problem`` if a JSON object has fields that are not *known*."""
    unknown = [name for name in values if name not in known]
    if unknown:
        raise invalid_values([(f"/{pointer_token(n)}", "is not a field here") for n in unknown])
