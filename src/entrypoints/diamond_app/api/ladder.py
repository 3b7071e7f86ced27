"""/v1/ladder: what a stone would cost with another grade or weight."""

from __future__ import annotations

from typing import Any, Final

import falcon
import msgspec

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Topic, operation
from diamond_app.api.payloads import STONE_FIELDS, invalid_parameters, read_query, stone_of_query
from diamond_app.ladder_responses import Ladder
from diamond_core import PriceLadder

LadderQuery: Final[Any] = msgspec.defstruct("LadderQuery", STONE_FIELDS, kw_only=True)


class PricesAround:
    """GET /v1/ladder: the prices around one stone."""

    path = "/v1/ladder"

    def __init__(self, price_ladder: PriceLadder) -> None:
        self._price_ladder = price_ladder

    @operation(
        id="price_ladder",
        topic=Topic.PRICES,
        summary="Price the stones around one stone",
        about="The price one grade better and worse in cut, color and clarity, at the neighbouring"
        " trade weights with the jump of the price there, and over the weight for a plot.",
        query=LadderQuery,
        answer=Ladder,
        answered="The price of the stone, and the prices around it.",
        errors=(503,),
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Ladder:
        given, wrong = read_query(req, LadderQuery)
        diamond = stone_of_query(given, wrong)
        if diamond is None:
            raise invalid_parameters(wrong)
        found = self._price_ladder(diamond)
        req.context.model_id = found.card.id
        return Ladder.of(found)
