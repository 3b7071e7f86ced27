"""The URLs of object stores. Credentials come from the environment, never from the URL."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from diamond_core import InvalidUrl


def check_object_url(url: str) -> None:
    """Check that *url* names a bucket and nothing but a bucket and a prefix.

    Raises:
        InvalidUrl: it does not.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidUrl("it is not a URL") from None
    if parts.scheme not in {"s3", "gs", "az"} or not parts.netloc:
        raise InvalidUrl("use s3://bucket/prefix, or gs:// or az:// in the place of s3://")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidUrl(
            "use scheme://bucket/prefix; credentials and options belong into the environment"
        )


def allows_http() -> bool:
    """Return whether the store is reached without TLS: its address in the environment says so."""
    return os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
