"""Pages of other sites that call the API from a browser (CORS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import falcon

_EXPOSED: Final = ("X-Request-ID", "ETag", "Retry-After")


class CrossOrigin:
    """Lets exactly the pages of *origins* read the answers, with a key that they send themselves.

    No cookie is used, so none is allowed.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        self._headers: Any = falcon.CORSMiddleware(allow_origins=origins, expose_headers=_EXPOSED)

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        """Add the headers that a browser asks for; caches keep the answers to origins apart."""
        resp.append_header("Vary", "Origin")
        self._headers.process_response(req, resp, resource, succeeded)
