"""Every response of a real service carries the headers that keep browsers in check."""

from __future__ import annotations

import pytest
from support import STONE

EVERYWHERE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/predictions", STONE),
        ("POST", "/v1/predictions", {}),
        ("GET", "/v1/nothing", None),
        ("DELETE", "/v1/models", None),
        ("GET", "/livez", None),
        ("GET", "/", None),
    ],
)
def test_every_response_forbids_sniffing_framing_and_foreign_content(service, method, path, body):
    headers = service.request(method, path, body).headers
    assert headers.items() >= EVERYWHERE.items()
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
