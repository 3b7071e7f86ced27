"""The headers that restrict what a browser does with our responses."""

from __future__ import annotations

from typing import Final

import falcon

_EVERYWHERE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DATA: Final = _EVERYWHERE | {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""For JSON, metrics, scripts and everything else that is not a page."""

PAGE: Final = _EVERYWHERE | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""For pages: nothing from another host, no inline script, no inline style, never in a frame."""


class SecurityHeaders:
    """Gives every response its security headers; a policy that a resource has set is kept."""

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        """Choose by content type: a page can load from this host, data can load nothing."""
        is_page = (resp.content_type or "").startswith("text/html")
        headers = PAGE if is_page else DATA
        policy = resp.get_header("Content-Security-Policy")
        resp.set_headers(
            headers if policy is None else headers | {"Content-Security-Policy": policy}
        )
        if resp.status_code == 304:  # it has no content, but the headers of what the client has
            resp.delete_header("Content-Type")
