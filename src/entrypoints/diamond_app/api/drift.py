"""/v1/drift: the stones that are priced beside the training data, for administrators."""

from __future__ import annotations

from typing import Annotated, Final

import falcon
from msgspec import Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Access, Topic, operation
from diamond_app.api.payloads import invalid_parameters, read_query
from diamond_app.exchange_filters import AGE_OR_TIME, parse_time
from diamond_app.monitoring_responses import Drift
from diamond_app.responses import described
from diamond_core import DriftLimits, MonitoringStore, load_monitoring

_DEFAULT: Final = "7d"


class DriftQuery(Struct):
    """Which requests to compare."""

    since: Annotated[
        str,
        described(
            "From the hour of this age or day on; at most 31d, and before the last computation.",
            _DEFAULT,
            pattern=AGE_OR_TIME,
        ),
    ] = _DEFAULT


class DriftResource:
    """GET /v1/drift: what was last computed; ``at`` says when."""

    path = "/v1/drift"

    def __init__(self, store: MonitoringStore, limits: DriftLimits) -> None:
        self._store = store
        self._limits = limits

    @operation(
        id="get_drift",
        etag=True,
        long=True,
        topic=Topic.MONITORING,
        summary="Compare the requests with the training data",
        query=DriftQuery,
        answer=Drift,
        answered="The stones that were priced since then, beside the training data.",
        errors=(503,),
        access=Access.ADMINS,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Drift:
        given, wrong = read_query(req, DriftQuery)
        found = load_monitoring(self._store)
        try:
            since = parse_time(given.get("since") or _DEFAULT, found.at)
        except ValueError as ex:
            wrong["since"] = str(ex)
        if wrong:
            raise invalid_parameters(wrong)
        return Drift.of(found, since, self._limits)
