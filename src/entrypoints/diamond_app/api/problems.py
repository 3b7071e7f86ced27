"""Errors as problem documents (RFC 9457), for every error that the service can answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

import falcon
from msgspec import UNSET

from diamond_app import responses
from diamond_app.api.exchange_context import Request
from diamond_core import errors
from diamond_core.codec import escaped

CONTENT_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = "10"
MAXIMUM_ERRORS: Final = 100
"""How many invalid values a problem document names."""

STATUSES: Final[dict[type[errors.DiamondError], int]] = {
    errors.DiamondError: 500,
    errors.InvalidDiamond: 422,
    errors.InvalidTable: 422,
    errors.InvalidModelId: 404,
    errors.InvalidSetting: 500,
    errors.InvalidUrl: 500,
    errors.InvalidFilter: 422,
    errors.SourceUnreadable: 422,
    errors.TooFewStones: 422,
    errors.UnknownFamily: 422,
    errors.FamilyFailed: 500,
    errors.ModelNotFound: 404,
    errors.ModelFileNotFound: 404,
    errors.NoChampion: 503,
    errors.ExchangeNotFound: 404,
    errors.InvalidOutcome: 422,
    errors.ImplausibleOutcome: 409,
    errors.PredictionNotFound: 404,
    errors.NotTheCaller: 403,
    errors.DeliveryNotFound: 404,
    errors.StoneVersionNotFound: 404,
    errors.ModelExists: 409,
    errors.NotReproducible: 409,
    errors.NotRecomputable: 409,
    errors.ModelDamaged: 500,
    errors.NothingToRollBack: 409,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.Refused: 500,
}
"""The HTTP status of each domain error; a test checks that none is missing."""

TITLES: Final = {
    400: "The request can't be read",
    401: "A key is needed",
    403: "This key has no permission",
    404: "Not found",
    405: "This address does not support this method",
    408: "The request came too slowly",
    409: "Conflict with the current state",
    413: "The request is too large",
    415: "The content type is not supported",
    422: "Some values are invalid",
    500: "The service failed",
    503: "Not available right now",
}

App = falcon.App[Request, falcon.Response]

_log = logging.getLogger("diamond_app")


class Problem(Exception):
    """An error with the answer to send.

    Args:
        status: the HTTP status.
        detail: one or two sentences: what is wrong and what to do.
        errors: (JSON pointer, detail) of every invalid value.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = headers or {}


def invalid_values(wrong: Sequence[tuple[str, str]]) -> Problem:
    """Return the problem of one or more invalid values, by JSON pointer; it names the first."""
    count = "one value is" if len(wrong) == 1 else f"{len(wrong):,} values are"
    more = len(wrong) - MAXIMUM_ERRORS
    named = [*wrong[:MAXIMUM_ERRORS], ("", f"and {more:,} more")] if more > 0 else wrong
    return Problem(422, f"{count} invalid; 'errors' names each and says what it must be", named)


def pointer_token(field: str) -> str:
    """Escape a field's name for a JSON pointer (RFC 6901)."""
    return field.replace("~", "~0").replace("/", "~1")


def answer(req: Request, resp: falcon.Response, problem: Problem) -> None:
    """Make *resp* the problem document of *problem*."""
    document = responses.Problem(
        type="about:blank",
        title=TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=escaped(problem.detail),
        instance=escaped(req.path),
        request_id=req.context.request_id,
        errors=[
            responses.FieldError(escaped(pointer), escaped(detail))
            for pointer, detail in problem.errors
        ]
        or UNSET,
    )
    resp.status = problem.status
    resp.content_type = CONTENT_TYPE
    resp.data = responses.encode_line(document)
    for name, value in problem.headers.items():
        resp.set_header(name, value)


def status_of(error: errors.DiamondError) -> int:
    """Return the HTTP status of a domain error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def install(app: App) -> None:
    """Answer every error of *app* with a problem document."""

    def on_problem(req: Request, resp: falcon.Response, ex: Problem, _: object) -> None:
        answer(req, resp, ex)

    def on_domain_error(
        req: Request, resp: falcon.Response, ex: errors.DiamondError, _: object
    ) -> None:
        if isinstance(ex, errors.InvalidDiamond | errors.InvalidOutcome):
            answer(
                req,
                resp,
                invalid_values([(f"/{pointer_token(p.field)}", p.detail) for p in ex.problems]),
            )
            return
        status = status_of(ex)
        headers = {"Retry-After": RETRY_SECONDS} if status == 503 else None
        if status == 500:
            _log.error("%s", ex, extra={"request_id": req.context.request_id})
        answer(req, resp, Problem(status, str(ex), headers=headers))

    def on_http_error(req: Request, resp: falcon.Response, ex: falcon.HTTPError, _: object) -> None:
        detail = ex.description or _http_detail(req, ex)
        answer(req, resp, Problem(ex.status_code, detail, headers=dict(ex.headers or {})))

    def on_bug(req: Request, resp: falcon.Response, ex: Exception, _: object) -> None:
        _log.exception("unexpected error", extra={"request_id": req.context.request_id})
        answer(req, resp, Problem(500, "the service has a bug; quote the request id to support"))

    app.add_error_handler(Exception, on_bug)
    app.add_error_handler(falcon.HTTPError, on_http_error)
    app.add_error_handler(errors.DiamondError, on_domain_error)
    app.add_error_handler(Problem, on_problem)


def _http_detail(req: Request, ex: falcon.HTTPError) -> str:
    if ex.status_code == 404:
        return f"there is no resource at {req.path}"
    if ex.status_code == 405:
        allowed = dict(ex.headers or {}).get("Allow", "other methods")
        return f"{req.path} supports {allowed}, not {req.method}"
    return ex.title or "the request was not accepted"
