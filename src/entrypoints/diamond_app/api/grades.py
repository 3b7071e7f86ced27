"""/v1/grades: the fields that describe a stone."""

from __future__ import annotations

from typing import Any

import falcon

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Access, Topic, operation
from diamond_app.responses import Grades, grades


class AllGrades:
    """GET /v1/grades: the scales, worst grade first, and the numbers with units and limits."""

    path = "/v1/grades"

    @operation(
        id="list_grades",
        etag=True,
        topic=Topic.PRICES,
        summary="List the grades and fields of a stone",
        about="Enough to build a form: each grade with its meaning, each number with its limits.",
        answer=Grades,
        answered="The scales, worst grade first, and the numbers.",
        access=Access.EVERYONE,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Any:
        return grades()
