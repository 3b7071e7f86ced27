"""/v1/similar: known stones similar to a given one."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import falcon
import msgspec

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Topic, operation
from diamond_app.api.payloads import (
    invalid_parameters,
    read_query,
    stone_of_query,
    whole_number,
)
from diamond_app.price_responses import SimilarDiamonds
from diamond_app.responses import described, field_type
from diamond_core import FIELDS, FindSimilar
from diamond_core.stones.fields import REQUIRED

DEFAULT_SIMILAR: Final = 5
MAXIMUM_SIMILAR: Final = 1000

_Count = Annotated[int, described("How many stones to show.", 5, ge=1, le=MAXIMUM_SIMILAR)]
_Grades = Annotated[
    Literal["exact", "near"],
    described(
        "exact: stones of the same cut, color and clarity, nearest weight first. near: also of"
        " neighbouring grades, nearest in price terms first; their grades are within one step, or"
        " within more if there are too few.",
        "exact",
    ),
]
SimilarQuery: Any = msgspec.defstruct(
    "SimilarQuery",
    [
        *((name, field_type(FIELDS[name])) for name in REQUIRED),
        ("n", _Count, DEFAULT_SIMILAR),
        ("grades", _Grades, "exact"),
    ],
)


class SimilarStones:
    """GET /v1/similar: training stones similar to one stone."""

    path = "/v1/similar"

    def __init__(self, find_similar: FindSimilar) -> None:
        self._find_similar = find_similar

    @operation(
        id="similar_diamonds",
        topic=Topic.PRICES,
        summary="Show known stones similar to one stone",
        about="If there is none, the list is empty.",
        query=SimilarQuery,
        answer=SimilarDiamonds,
        answered="Stones of the same grades, or of grades near them.",
        errors=(503,),
    )
    def on_get(self, req: Request, resp: falcon.Response) -> SimilarDiamonds:
        given, wrong = read_query(req, SimilarQuery)
        n = whole_number(given, "n", DEFAULT_SIMILAR, MAXIMUM_SIMILAR, wrong)
        given.pop("n", None)
        grades = given.pop("grades", "") or "exact"
        if grades not in ("exact", "near"):
            wrong["grades"] = "must be exact or near"
        diamond = stone_of_query(given, wrong)
        if diamond is None:
            raise invalid_parameters(wrong)
        if grades == "near":
            return SimilarDiamonds.of(self._find_similar.near(diamond, n))
        return SimilarDiamonds.of(self._find_similar(diamond, n))
