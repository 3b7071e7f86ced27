"""GET /docs: the API's live documentation, by Swagger UI, served from this host only."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import falcon

from diamond_app.api.exchange_context import Request

_OURS: Final = Path(__file__).parent / "docs"
_FILES: Final = {
    "swagger-ui.js": ("swagger_bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger_style.css", "text/css; charset=utf-8"),
    "docs.js": (None, "text/javascript; charset=utf-8"),
    "docs.css": (None, "text/css; charset=utf-8"),
}
"""Name -> (the file's name in the package offapi, or None for our own; its content type)."""

_CACHE: Final = "public, max-age=86400"


class LiveDocs:
    """The page itself."""

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        if req.env["PATH_INFO"].endswith("/"):  # its links are relative
            raise falcon.HTTPMovedPermanently("../docs")
        resp.data = (_OURS / "page.html").read_bytes()
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Cache-Control", "no-cache")

    on_head = on_get


class LiveDocsFile:
    """A script or style of the page."""

    def on_get(self, req: Request, resp: falcon.Response, name: str) -> None:
        if name not in _FILES:
            raise falcon.HTTPNotFound
        theirs, resp.content_type = _FILES[name]
        path = _OURS / name if theirs is None else _swagger_ui() / theirs
        resp.content_length = path.stat().st_size
        if req.method != "HEAD":
            resp.stream = path.open("rb")  # 1.6 MB: not kept in memory
        resp.set_header("Cache-Control", _CACHE)

    on_head = on_get


def _swagger_ui() -> Path:
    """Return the folder of the package with Swagger UI; an import would read all of it."""
    spec = find_spec("offapi")
    if spec is None or not spec.submodule_search_locations:
        raise falcon.HTTPNotFound
    return Path(spec.submodule_search_locations[0])
