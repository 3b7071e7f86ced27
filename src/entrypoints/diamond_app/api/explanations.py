"""/v1/explanations: why a stone has its price."""

from __future__ import annotations

import falcon

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Topic, operation
from diamond_app.api.payloads import StoneToExplain, read_stone_to_explain
from diamond_app.api.predictions import answered
from diamond_app.api.problems import invalid_values
from diamond_app.price_responses import Prediction
from diamond_core import ExplainPrice, InvalidDiamond


class Explanations:
    """POST /v1/explanations: what one stone is worth, and why."""

    path = "/v1/explanations"

    def __init__(self, explain_price: ExplainPrice) -> None:
        self._explain_price = explain_price

    @operation(
        id="explain_price",
        topic=Topic.PRICES,
        summary="Price one stone and explain its price",
        about="From another stone to this one: what its weight, cut, color, clarity and"
        " measurements add, as exact Shapley values. They and the price of the other stone add up"
        " to the price, to the cent.",
        body=StoneToExplain,
        answer=Prediction,
        answered="A prediction with its explanation.",
        errors=(503,),
    )
    def on_post(self, req: Request, resp: falcon.Response) -> Prediction:
        diamond, other = read_stone_to_explain(req.context.body)
        try:
            prediction = self._explain_price(diamond, other)
        except InvalidDiamond as ex:
            wrong = [(f"/{each.field}", each.detail) for each in ex.problems]
            raise invalid_values(wrong) from ex
        return answered(req.context, prediction, diamond)
