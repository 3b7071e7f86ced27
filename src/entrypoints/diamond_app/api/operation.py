"""The description of an operation, beside its code; the app and the OpenAPI document use it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

import falcon
from msgspec import Struct

from diamond_app.api.authenticator import Authenticator
from diamond_app.api.exchange_context import Request
from diamond_app.api.problems import Problem
from diamond_app.api.request_body import CSV, media_type, read_body
from diamond_app.responses import encode_line

BODY_LIMIT: Final = 2_000_000
"""The maximum bytes of a request's body."""
CSV_BODY_LIMIT: Final = 16_000_000
"""The same for a CSV of stones."""

IN_THREAD: Final = "diamond.in_thread"
"""The key in the WSGI environment of a function that calls another one in a native thread.

It takes that function and a tuple of its arguments, returns when it has returned, and raises its
error.
"""

_METHODS: Final = ("get", "post")


class Topic(Enum):
    """The parts of the API, and what each is about."""

    PRICES = "What a stone is worth, and similar stones."
    MODELS = "The history of models, and the champion."
    PIPELINE = "The runs of the training pipeline."
    MONITORING = "What is asked for, beside what the model was trained on."
    REQUESTS = "Every request and its response, for support."
    OPERATION = "For operators."


class Access(Enum):
    """Who can call an operation."""

    EVERYONE = "everyone"
    CALLERS = "callers with a key, if keys are set"
    ADMINS = "admin keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a method of a path takes and returns.

    Attributes:
        id: its name in generated clients.
        summary: what it does, in a few words.
        about: a longer description, if needed.
        answer: the class of its answer, in ``responses``, or a content type.
        answered: what the answer is.
        errors: its error statuses, except those that follow from the other attributes.
        access: who can call it.
        long: whether it can take long: reads many files or a database, or prices many stones. Then
            it runs in a native thread, where the server has one for it, and other requests go on.
        etag: whether a client that knows the answer gets 304.
        body: the class of its JSON body.
        csv: whether the body can be a CSV of stones instead.
        query: the class of its query's parameters.
        path: the type of each parameter in its path.
    """

    id: str
    topic: Topic
    summary: str
    about: str = ""
    answer: type[Struct] | str
    answered: str
    errors: tuple[int, ...] = ()
    access: Access = Access.CALLERS
    long: bool = False
    etag: bool = False
    body: type[Struct] | None = None
    csv: bool = False
    query: type[Struct] | None = None
    path: Mapping[str, Any] = field(default_factory=dict)


class Resource(Protocol):
    """The handler of a path: it has a method ``on_get`` or ``on_post`` with an ``operation``."""

    path: str


_Responder = TypeVar("_Responder", bound=Callable[..., Any])


def operation(**given: Any) -> Callable[[_Responder], _Responder]:
    """Describe a responder by an ``Operation``.

    The responder returns its answer, an object of ``responses``, or None if it has set ``resp``.
    """

    def describe(responder: _Responder) -> _Responder:
        responder.operation = Operation(**given)  # type: ignore[attr-defined]
        return responder

    return describe


def operations(resource: Resource) -> Iterator[tuple[str, Operation]]:
    """Yield each method of a resource with its description."""
    for method in _METHODS:
        found = getattr(getattr(resource, f"on_{method}", None), "operation", None)
        if found is not None:
            yield method, found


class Served:
    """A resource as Falcon calls it: checks the key, calls the responder, encodes the answer."""

    def __init__(self, resource: Resource, authenticator: Authenticator) -> None:
        for method, described in operations(resource):
            responder = getattr(resource, f"on_{method}")
            check = {
                Access.EVERYONE: None,
                Access.CALLERS: authenticator.require,
                Access.ADMINS: authenticator.require_admin,
            }[described.access]
            setattr(self, f"on_{method}", _answering(responder, check, described))
            if method == "get":
                self.on_head = self.on_get  # type: ignore[attr-defined]  # Falcon sends no body


def _answering(
    responder: Callable[..., Struct | None],
    check: Callable[[Request], None] | None,
    described: Operation,
) -> Callable[..., None]:
    """Return a method for Falcon; a request that is refused before *responder* is not read."""

    def respond(req: Request, resp: falcon.Response, path: Mapping[str, str]) -> None:
        found = responder(req, resp, **path)
        if found is not None:
            resp.data = encode_line(found)
        if described.etag:
            answer_unless_known(req, resp, _digest(resp.data or b""))

    def answer(req: Request, resp: falcon.Response, **path: str) -> None:
        if check is not None:
            check(req)
        read_body(req, _limit(req, described))
        in_thread = req.env.get(IN_THREAD)
        if in_thread is None or not described.long:
            respond(req, resp, path)
        else:
            in_thread(respond, (req, resp, path))

    return answer


def _digest(data: bytes) -> str:
    return f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'


def answer_unless_known(req: Request, resp: falcon.Response, etag: str) -> None:
    """Give the response its *etag*; answer 304 without a body if the client has sent it."""
    resp.set_header("ETag", etag)
    known = req.get_header("If-None-Match", default="")
    if etag in known or known.strip() == "*":
        resp.status = 304
        resp.data = None


def _limit(req: Request, described: Operation) -> int:
    """Return the maximum size of the body.

    Raises:
        Problem: 415, the operation does not take a body of this type.
    """
    kind = media_type(req)
    if described.csv and kind == CSV:
        return CSV_BODY_LIMIT
    if described.body is not None and kind != falcon.MEDIA_JSON:
        expected = "send JSON with 'Content-Type: application/json'"
        if described.csv:
            expected += " or a CSV with 'Content-Type: text/csv'"
        raise Problem(415, f"{expected}, not {req.content_type or 'none'}")
    return BODY_LIMIT
