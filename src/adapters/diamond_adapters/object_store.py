"""Object stores by their URL: S3 and what speaks its protocol, Google Cloud Storage, Azure, memory.

Credentials come from the environment, as each cloud's own tools read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import MemoryStore, from_url

from diamond_adapters.object_urls import allows_http, check_object_url
from diamond_core import InvalidUrl, Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_CLIENT: Final[ClientConfig] = {
    "connect_timeout": "3s",
    "read_timeout": "30s",
    "timeout": "1h",  # of a whole file
}
_NO_BUCKET: Final = "NoSuchBucket"
_RETRIES: Final[RetryConfig] = {"max_retries": 3}


def open_store(url: str) -> ObjectStore:
    """Return the object store at *url*, such as ``s3://bucket/prefix``; nothing is read yet.

    Raises:
        InvalidUrl: it names no store, or contains what belongs into the environment.
    """
    if url.startswith("memory:"):
        return _memory(url)
    check_object_url(url)
    client: ClientConfig = {**_CLIENT, "allow_http": allows_http()}
    try:
        return from_url(url, client_options=client, retry_config=_RETRIES)
    except (BaseError, ValueError) as ex:
        raise InvalidUrl(_reason(ex)) from None


@cache
def _memory(url: str) -> MemoryStore:
    """Return the same store for the same URL: it lives as long as the process."""
    return MemoryStore()


@contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Raise ``Unavailable`` for an error of a store, except ``FileNotFoundError`` for an object."""
    try:
        yield
    except (BaseError, OSError, ValueError) as ex:
        if isinstance(ex, FileNotFoundError) and _NO_BUCKET not in str(ex):
            raise
        raise Unavailable(f"{what}: {_reason(ex)}") from ex


def _reason(ex: Exception) -> str:
    """Return what a person can do something about; the library's texts are long."""
    text = str(ex)
    if _NO_BUCKET in text:
        return "the bucket does not exist"
    if isinstance(ex, (PermissionDeniedError, UnauthenticatedError)):
        return "access is denied; check the credentials in the environment"
    if "error sending request" in text:
        return "the store does not answer"
    return text.partition("\n")[0].strip() or type(ex).__name__
