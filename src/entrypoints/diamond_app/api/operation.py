"""The description of an operation, beside its code; the app and the OpenAPI document use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

import falcon
from msgspec import Struct

from diamond_app.api.authenticator import Authenticator
from diamond_app.api.exchange_context import Request
from diamond_app.responses import encode

_METHODS: Final = ("get", "post")


class Topic(Enum):
    """The parts of the API, and what each is about."""

    PRICES = "What a stone is worth, and similar stones."
    MODELS = "The history of models, and the champion."
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
        body: the class of its JSON body.
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
    body: type[Struct] | None = None
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
            setattr(self, f"on_{method}", _answering(responder, check))


def _answering(
    responder: Callable[..., Struct | None], check: Callable[[Request], None] | None
) -> Callable[..., None]:
    def answer(req: Request, resp: falcon.Response, **path: str) -> None:
        if check is not None:
            check(req)
        found = responder(req, resp, **path)
        if found is not None:
            resp.data = encode(found)

    return answer
