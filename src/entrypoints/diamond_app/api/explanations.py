"""/v1/explanations: why a stone has its price."""

from __future__ import annotations

from typing import Annotated, Final

import falcon
import msgspec
from msgspec import Meta, Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Topic, operation
from diamond_app.api.payloads import REFUSED, StoneBody, read_json, values_of
from diamond_app.api.problems import invalid_values, pointer_token
from diamond_app.explanation_responses import Explanation
from diamond_app.responses import FULL_STONE, STONE
from diamond_core import Diamond, ExplainPrice, InvalidDiamond

_STONES: Final = ("diamond", "reference")


class ExplanationBody(Struct, forbid_unknown_fields=True):
    """A stone to explain, and the stone to compare it with."""

    diamond: StoneBody
    reference: Annotated[
        StoneBody | None,
        Meta(description="The stone to compare it with; by default a typical one."),
    ] = None

    EXAMPLES = ({"diamond": STONE}, {"diamond": FULL_STONE, "reference": STONE})


_decode: Final = msgspec.json.Decoder(ExplanationBody).decode


class Explanations:
    """POST /v1/explanations: why a stone has its price."""

    path = "/v1/explanations"

    def __init__(self, explain_price: ExplainPrice) -> None:
        self._explain_price = explain_price

    @operation(
        id="explain_price",
        topic=Topic.PRICES,
        summary="Explain the price of one stone",
        about="From a reference stone to this one: what its weight, cut, color, clarity and"
        " measurements add, as exact Shapley values. They add up to the price, to the cent.",
        body=ExplanationBody,
        answer=Explanation,
        answered="The price, and what each property adds to that of the reference.",
        errors=(503,),
    )
    def on_post(self, req: Request, resp: falcon.Response) -> Explanation:
        found = self._explain_price(*_read(req))
        req.context.model_id = found.card.id
        return Explanation.of(found)


def _read(req: Request) -> tuple[Diamond, Diamond | None]:
    """Return the stone and the reference of a request's body.

    Raises:
        Problem: 400; 422 with a pointer to every invalid value.
    """
    try:
        body = _decode(req.context.body)
        diamond = Diamond.of_valid(values_of(body.diamond))
        other = body.reference
        return diamond, None if other is None else Diamond.of_valid(values_of(other))
    except (*REFUSED, InvalidDiamond):
        values = read_json(req)
    if not isinstance(values, dict) or "diamond" not in values:
        raise invalid_values([("", "must be a JSON object with diamond, a stone")])
    wrong = [
        (f"/{pointer_token(str(name))}", f"is not a field; these are {', '.join(_STONES)}")
        for name in values
        if name not in _STONES
    ]
    found: dict[str, Diamond] = {}
    for name in _STONES:
        value = values.get(name)
        if name == "reference" and value is None:
            continue
        if not isinstance(value, dict):
            wrong.append((f"/{name}", "must be a stone: a JSON object"))
            continue
        try:
            found[name] = Diamond.parse(value)
        except InvalidDiamond as ex:
            wrong += [(f"/{name}/{pointer_token(each.field)}", each.detail) for each in ex.problems]
    if wrong:
        raise invalid_values(wrong)
    return found["diamond"], found.get("reference")
