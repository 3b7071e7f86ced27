"""/v1/pipeline: the runs of the training pipeline, for administrators."""

from __future__ import annotations

from typing import Annotated, Final

import falcon
from msgspec import Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Access, Topic, operation
from diamond_app.api.payloads import invalid_parameters, read_query, whole_number
from diamond_app.pipeline_responses import RUN_ID, PipelineRuns
from diamond_app.responses import described
from diamond_core import PipelineRuns as KeptRuns

DEFAULT_RUNS: Final = 50
MAXIMUM_RUNS: Final = 1000


class RunsQuery(Struct):
    """Which runs to list; without any parameter, the newest."""

    limit: Annotated[int, described("The maximum number of runs.", 50, ge=1, le=MAXIMUM_RUNS)] = (
        DEFAULT_RUNS
    )
    before: Annotated[str, described("The 'next' of the previous page.", RUN_ID)] = ""


class AllRuns:
    """GET /v1/pipeline: the runs, newest first."""

    path = "/v1/pipeline"

    def __init__(self, runs: KeptRuns) -> None:
        self._runs = runs

    @operation(
        id="list_pipeline_runs",
        etag=True,
        long=True,
        topic=Topic.PIPELINE,
        summary="List the runs of the pipeline",
        query=RunsQuery,
        answer=PipelineRuns,
        answered="A page of the runs, newest first.",
        errors=(503,),
        access=Access.ADMINS,
    )
    def on_get(self, req: Request, resp: falcon.Response) -> PipelineRuns:
        given, wrong = read_query(req, RunsQuery)
        limit = whole_number(given, "limit", DEFAULT_RUNS, MAXIMUM_RUNS, wrong)
        if wrong:
            raise invalid_parameters(wrong)
        before = given.get("before")
        older = [each for each in self._runs.runs() if not before or each.id < before]
        return PipelineRuns.of(older[:limit], more=len(older) > limit)
