"""Tell a URL what happened, as a JSON POST."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from diamond_core import to_plain

_SECONDS: Final = 10.0
_log = logging.getLogger(__name__)


class Notifier:
    """Posts events to *url*. A failure is logged, without the URL: it can contain a token."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, event: Mapping[str, Any]) -> None:
        body = json.dumps(to_plain(dict(event))).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "diamond-core"}
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except Exception as ex:  # a server can answer anything
            host = urlsplit(self._url).hostname
            _log.warning(
                "%s could not be told about %r (%s)", host, event["event"], type(ex).__name__
            )
