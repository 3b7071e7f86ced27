"""The answers about recorded requests; see ``responses``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from msgspec import UNSET, Struct, UnsetType

from diamond_adapters.requests.body_text import to_text
from diamond_app.responses import EXCHANGE_ID, MODEL_ID, TIME, described
from diamond_core.codec import escaped

if TYPE_CHECKING:
    import diamond_core


class Truncation(Struct, frozen=True):
    """A body of which the request log keeps only the beginning."""

    bytes: Annotated[int, described("The size of the complete body.", 16_000_000, ge=0)]
    sha256: Annotated[str, described("Its SHA-256; empty: unknown.", "9f3a")]

    @classmethod
    def of(cls, truncation: diamond_core.Truncation | None) -> Self | UnsetType:
        """Return the answer for a truncation."""
        return UNSET if truncation is None else cls(truncation.bytes, truncation.sha256)


_Truncation = Annotated[
    Truncation | UnsetType, described("Present only if the body here is just its beginning.")
]
_Encoding = Annotated[
    Literal["utf-8", "base64"] | UnsetType, described("How the body is written.", "utf-8")
]


class Exchange(Struct, frozen=True, kw_only=True):
    """A request and its response; the bodies only if requested."""

    id: Annotated[
        str,
        described("The exchange's own id and its prediction's; sorts by time.", EXCHANGE_ID),
    ]
    request_id: Annotated[
        str,
        described(
            "The X-Request-ID: chosen by the caller, who can use it more than once.", "order-4711"
        ),
    ]
    occurred_at: Annotated[
        str, described("When the request arrived (UTC).", TIME, format="date-time")
    ]
    method: Annotated[str, described("The method.", "POST")]
    path: Annotated[str, described("The path.", "/v1/predictions")]
    query: Annotated[str, described("The query string, without '?'.", "")]
    headers: Annotated[
        dict[str, str], described("Some of the request's headers.", {"User-Agent": "curl/8.5"})
    ]
    client: Annotated[str, described("The caller's address.", "127.0.0.1")]
    key_name: Annotated[str, described("The name of the key that was used; empty: none.", "shop")]
    status: Annotated[int, described("The response's HTTP status.", 200)]
    duration_ms: Annotated[float, described("How long it took, in milliseconds.", 0.412, ge=0)]
    model_id: Annotated[str, described("The model that priced; empty: none.", MODEL_ID)]
    request_truncation: _Truncation = UNSET
    response_truncation: _Truncation = UNSET
    request_encoding: _Encoding = UNSET
    request_body: Annotated[
        str | UnsetType, described("The request's body, unchanged.", '{"carat": 1.1}')
    ] = UNSET
    response_encoding: _Encoding = UNSET
    response_body: Annotated[
        str | UnsetType, described("The response's body, unchanged.", '{"price": 4608.99}')
    ] = UNSET

    @classmethod
    def of(cls, exchange: diamond_core.Exchange, *, bodies: bool, **more: Any) -> Self:
        """Return an exchange as JSON values.

        A UTF-8 body is given as text, any other as base64; its encoding says which.
        """
        if bodies:
            for name in ("request", "response"):
                encoding, text = to_text(getattr(exchange, f"{name}_body"))
                more |= {f"{name}_encoding": encoding, f"{name}_body": text}
        return cls(
            id=exchange.id,
            request_id=exchange.request_id,
            occurred_at=exchange.occurred_at.isoformat(timespec="microseconds"),
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            headers={escaped(name): escaped(value) for name, value in exchange.headers.items()},
            client=exchange.client,
            key_name=exchange.key_name,
            status=exchange.status,
            duration_ms=exchange.duration_ms,
            model_id=exchange.model_id,
            request_truncation=Truncation.of(exchange.request_truncation),
            response_truncation=Truncation.of(exchange.response_truncation),
            **more,
        )


class Exchanges(Struct, frozen=True):
    """A page of the request log, newest first."""

    requests: Annotated[list[Exchange], described("The exchanges.")]
    next: Annotated[
        str | None, described("The 'before' of the next page; null: this is the last.", EXCHANGE_ID)
    ]


class FoundExchange(Exchange, frozen=True, kw_only=True):
    """An exchange with its bodies, and the others with the wanted X-Request-ID."""

    others: Annotated[
        list[Exchange], described("Others with the wanted X-Request-ID, newest first.", [])
    ]

    @classmethod
    def of_all(cls, found: Sequence[diamond_core.Exchange]) -> Self:
        """Return the first of *found* with its bodies, and the others without."""
        first, *others = found
        return cls.of(
            first, bodies=True, others=[Exchange.of(each, bodies=False) for each in others]
        )
