"""The addresses of the pages, their files, and the models' reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

import falcon

from diamond_app.api.authenticator import Authenticator
from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import answer_unless_known
from diamond_app.api.problems import App, Problem
from diamond_app.web.site import ICON, Site, StaticFile
from diamond_core import InvalidModelId, ModelDamaged, ModelHistory, ModelId, ModelNotFound

REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none';"
    " script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:;"
    " frame-ancestors 'none'"
)
"""A report contains its own script and style. They run in a sandbox without an origin: they can't
read this site and can't load anything."""

_UNCHANGING: Final = "public, max-age=31536000, immutable"
_ASK_EACH_TIME: Final = "no-cache"
_MAXIMUM_FORM_BYTES: Final = 4096


def add_pages(
    app: App, history: ModelHistory, authenticator: Authenticator, paths: Sequence[str]
) -> None:
    """Serve the pages and the reports of *history* with *app*, whose API is at *paths*."""
    site = Site([path for path in paths if path.startswith("/v1/") and "{" not in path])
    for path, page in site.pages.items():
        app.add_route(path, Page(page))
    app.add_route("/static/{digest}/{name}", Static(site))
    app.add_route("/favicon.ico", Page(site.files[ICON]))
    app.add_route("/models/{id}/report", Report(history, authenticator, site))
    app.add_sink(Nowhere(site).answer, prefix="/")


class Page:
    """GET /, /certificate, /stones and so on: one page, the same for everyone."""

    def __init__(self, page: StaticFile) -> None:
        self._page = page

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        _send(req, resp, self._page, _ASK_EACH_TIME)

    on_head = on_get


class Static:
    """GET /static/{digest}/{name}: a style sheet, a script or a picture."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: Request, resp: falcon.Response, digest: str, name: str) -> None:
        file = self._site.files.get(name)
        if file is None:
            raise falcon.HTTPNotFound
        # the digest of another version: answer, but without caching under that address
        _send(req, resp, file, _UNCHANGING if digest == self._site.digest else _ASK_EACH_TIME)

    on_head = on_get


class Report:
    """GET /models/{id}/report: the report that was written when the model was trained.

    A link can't send a key header. If keys are needed, the page's own form sends the key in the
    body of a POST, so it never appears in an address.
    """

    def __init__(self, history: ModelHistory, authenticator: Authenticator, site: Site) -> None:
        self._history = history
        self._authenticator = authenticator
        self._site = site

    def on_get(self, req: Request, resp: falcon.Response, id: str) -> None:
        try:
            self._authenticator.require(req)
        except Problem as ex:
            if not _accepts_html(req):
                raise
            _send(req, resp, self._site.report_key, "no-store")
            resp.status = ex.status
            return
        try:
            report = self._history.report(ModelId(id))
        except (InvalidModelId, ModelNotFound, ModelDamaged):
            if not _accepts_html(req):
                raise falcon.HTTPNotFound from None
            _send(req, resp, self._site.not_found, "no-store")
            resp.status = 404
            return
        resp.data = report
        resp.content_type = falcon.MEDIA_HTML
        resp.cache_control = ["private", "no-cache"]
        resp.set_header("Content-Security-Policy", REPORT_POLICY)

    on_head = on_get

    def on_post(self, req: Request, resp: falcon.Response, id: str) -> None:
        form = parse_qs(req.bounded_stream.read(_MAXIMUM_FORM_BYTES).decode("latin-1"))
        req.env["HTTP_X_API_KEY"] = form.get("key", [""])[0].strip()
        self.on_get(req, resp, id)


class Nowhere:
    """Every other address: a page for people, a problem document for programs."""

    def __init__(self, site: Site) -> None:
        self._page = site.not_found

    def answer(self, req: Request, resp: falcon.Response, **_: object) -> None:
        if req.path.startswith("/v1/") or not _accepts_html(req):
            raise falcon.HTTPRouteNotFound
        _send(req, resp, self._page, "no-store")
        resp.status = 404


def _send(req: Request, resp: falcon.Response, file: StaticFile, caching: str) -> None:
    resp.set_header("Cache-Control", caching)
    resp.content_type = file.content_type
    resp.data = file.data
    if caching != "no-store":
        answer_unless_known(req, resp, file.etag)


def _accepts_html(req: Request) -> bool:
    return "text/html" in req.accept
