"""/v1/predictions/{id}/outcome: what was really paid for a stone."""

from __future__ import annotations

import json
from typing import Annotated, Any

import falcon
from msgspec import Struct

from diamond_app.api.authenticator import is_admin
from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Topic, operation
from diamond_app.api.payloads import read_json
from diamond_app.api.problems import Problem, invalid_values
from diamond_app.outcome_responses import DAY, Outcome
from diamond_app.responses import EXCHANGE_ID, described
from diamond_core import PRICE, Clock, OutcomeReport, ReportOutcomes


class OutcomeBody(Struct, forbid_unknown_fields=True):
    """What was really paid for a stone that was priced."""

    price_paid: Annotated[float, described("In USD.", 4500.0, ge=PRICE.minimum, le=PRICE.maximum)]
    date: Annotated[
        str | None,
        described(
            "The day it was paid, not later than tomorrow (UTC), since it can be tomorrow where the"
            " caller is. Without it, the day of the report (UTC), or that of the outcome that this"
            " one corrects.",
            DAY,
            format="date",
        ),
    ] = None
    note: Annotated[
        str | None, described("Anything to remember.", "with a ring", maxLength=1000)
    ] = None

    EXAMPLES = ({"price_paid": 4500.0}, {"price_paid": 4500.0, "date": DAY, "note": "with ring"})


class OneOutcome:
    """POST /v1/predictions/{id}/outcome: keep what was really paid."""

    path = "/v1/predictions/{id}/outcome"

    def __init__(self, report_outcomes: ReportOutcomes, clock: Clock) -> None:
        self._report_outcomes = report_outcomes
        self._clock = clock

    @operation(
        id="report_outcome",
        long=True,
        topic=Topic.PRICES,
        summary="Report what was really paid",
        about="It shows how good the prices are, and becomes a stone to train on. A later report"
        " corrects an earlier one; the same report again changes nothing. A price more"
        " than ten times away from the prediction is a 409. Only the key that asked"
        " for the price, or an admin key, can report.",
        path={
            "id": Annotated[
                str,
                described("The id of a prediction, also of one in a batch.", EXCHANGE_ID),
            ]
        },
        body=OutcomeBody,
        answer=Outcome,
        answered="It is kept. The answer compares it with the prediction.",
        errors=(403, 404, 409, 503),
    )
    def on_post(self, req: Request, resp: falcon.Response, id: str) -> Outcome:
        values = read_json(req.context.body)
        if not isinstance(values, dict):
            raise invalid_values([("", "must be a JSON object with price_paid")])
        _refuse_repeated(req.context.body)
        report = OutcomeReport.parse(id, values, self._clock().date())
        key = req.context.key_name
        return Outcome.of(self._report_outcomes(report, by=key, admin=is_admin(key)))


def _refuse_repeated(body: bytes) -> None:
    """Raise a ``Problem`` if a JSON object has a field twice."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise Problem(400, "the body gives a field more than once; send it once")

    json.loads(body, object_pairs_hook=check)
