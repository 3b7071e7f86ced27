"""Read the body of a request, or only its beginning if the request is refused."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from diamond_app.api.exchange_context import Request
from diamond_app.api.problems import Problem
from diamond_core import Truncation

CSV: Final = "text/csv"
KEPT: Final = 4096
"""How many bytes of a body the request log keeps if it does not keep all of it."""
KEPT_WHOLE: Final = 8_000_000
"""The maximum size of a body that the request log keeps completely."""
KEPT_OF: Final = frozenset({401, 403, 404, 405, 413, 415})
"""With these statuses, the request log keeps only the beginning of the request's body."""

_MAXIMUM_DISCARDED: Final = 64_000_000
_CHUNK: Final = 65_536


def read_body(req: Request, limit: int) -> None:
    """Read the complete body into the request's context.

    Raises:
        Problem: 413, it is larger than *limit*; 408, it came too slowly; 400, it ended early or
            can't be read.
    """
    context = req.context
    context.body_is_read = True
    length = req.content_length
    if length == 0 or (length is None and "HTTP_TRANSFER_ENCODING" not in req.env):
        return
    if length is not None and length > limit:
        context.body, context.truncation = _beginning(req.bounded_stream, b"", length)
        raise _too_large(limit)
    body = _read(req.stream, limit + 1 if length is None else length)
    if len(body) > limit:
        context.body, context.truncation = _beginning(req.stream, body, None)
        raise _too_large(limit)
    context.body = body
    if length is not None and len(body) < length:
        raise Problem(400, "the body ended before its Content-Length was reached")


def media_type(req: Request) -> str:
    """Return the type of the request's body, such as ``text/csv``, or ''."""
    return (req.content_type or "").partition(";")[0].strip().lower()


def discard_body(req: Request) -> None:
    """Read an unread body and keep its beginning: clients read an answer after they sent it all."""
    context = req.context
    if context.body_is_read:
        return
    context.body_is_read = True
    length = req.env.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        context.body, context.truncation = _beginning(req.bounded_stream, b"", int(length))
    elif "HTTP_TRANSFER_ENCODING" in req.env:
        context.body, context.truncation = _beginning(req.stream, b"", None)


def kept(
    body: bytes, truncation: Truncation | None, status: int
) -> tuple[bytes, Truncation | None]:
    """Return what the request log keeps of a body, which can be truncated already."""
    if truncation is None and len(body) > (KEPT if status in KEPT_OF else KEPT_WHOLE):
        return start_of(body), Truncation.of(body)
    return body, truncation


def _beginning(stream: Any, body: bytes, size: int | None) -> tuple[bytes, Truncation | None]:
    """Read and discard the rest of a body of *size* bytes; return its beginning.

    A client that sends no end is not waited for: what follows after 64 MB is not read.
    """
    digest = hashlib.sha256(body)
    read = len(body)
    body = body[:KEPT]
    while read < _MAXIMUM_DISCARDED:
        try:
            chunk = _read(stream, _CHUNK)
        except Problem:  # the answer is decided already
            break
        if not chunk:
            break
        digest.update(chunk)
        read += len(chunk)
        body += chunk[: KEPT - len(body)]
    if read <= KEPT and size in (None, read):
        return body, None
    is_whole = read == size or (size is None and read < _MAXIMUM_DISCARDED)
    return start_of(body), Truncation(size or read, digest.hexdigest() if is_whole else "")


def start_of(body: bytes) -> bytes:
    """Return the first bytes; text is not cut within a character."""
    start = body[:KEPT]
    try:
        start.decode()
    except UnicodeDecodeError as ex:
        if len(start) - ex.start < 4:
            return start[: ex.start]
    return start


def _read(stream: Any, size: int) -> bytes:
    """Return up to *size* bytes.

    Raises:
        Problem: 408, it came too slowly; 400, the connection broke or the body is malformed.
    """
    try:
        body: bytes = stream.read(size)
    except TimeoutError as ex:
        raise Problem(408, "the body did not arrive in time") from ex
    except Exception as ex:  # the server's own errors: a malformed chunk, a reset connection
        raise Problem(400, "the body can't be read: it is malformed or ended early") from ex
    return body


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        f"a body can have at most {limit:,} bytes; send fewer diamonds at once",
        headers={"Connection": "close"},
    )
