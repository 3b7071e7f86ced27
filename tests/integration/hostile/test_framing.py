"""No answer can be shown in a frame of another site, whatever its method and status."""

from __future__ import annotations

import pytest
from falcon import testing

from diamond_core import REPORT_FILE
from diamond_core.testing import a_card, a_fitted_model, some_stones


@pytest.fixture
def reported(container):
    """Add a model with a report."""
    stones = some_stones(400)
    fitted = a_fitted_model(stones)
    fitted.files[REPORT_FILE] = b"<html></html>"
    container.history().publish(a_card("reported"), fitted, stones)


def answer(client, path, **headers):
    """Return the status and the headers; falcon's own client refuses a 304 with a content type."""
    started = testing.StartResponseMock()
    method = headers.pop("method", "GET")
    client.app(testing.create_environ(path, method=method, headers=headers), started)
    return int(started.status[:3]), started.headers_dict


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models/reported/report", 200),
        ("/models/gone/report", 404),
        ("/", 200),
        ("/requests", 200),
        ("/favicon.ico", 200),
        ("/nowhere", 404),
    ],
)
def test_every_answer_forbids_frames(client, reported, path, status):
    got, headers = answer(client, path, accept="text/html")
    policy = headers["content-security-policy"]
    assert got == status
    assert "frame-ancestors 'none'" in policy
    again = [answer(client, path, accept="text/html", method="HEAD")]
    if "etag" in headers:
        again.append(answer(client, path, **{"if-none-match": headers["etag"]}))
    assert [each for each, _ in again] == [status, 304][: len(again)]
    assert {each["content-security-policy"] for _, each in again} == {policy}
