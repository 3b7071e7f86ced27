"""The pages and their files, read from the package once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from diamond_adapters import charts
from diamond_app.responses import encode, grades

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
ICON: Final = "favicon.svg"
_HERE: Final = Path(__file__).parent
_PAGES: Final = {
    "/": "price.html",
    "/certificate": "certificate.html",
    "/stones": "stones.html",
    "/models": "models.html",
    "/pipeline": "pipeline.html",
    "/monitoring": "monitoring.html",
    "/requests": "requests.html",
}


class StaticFile:
    """A file as it is served: its bytes, its content type and its entity tag."""

    def __init__(self, content_type: str, make: Callable[[], bytes]) -> None:
        self.content_type = content_type
        self._make = make

    @cached_property
    def data(self) -> bytes:
        """The bytes, made when they are first needed."""
        return self._make()

    @cached_property
    def etag(self) -> str:
        """A quoted digest of the bytes."""
        return f'"{_digest(self.data)}"'


class Site:
    """All pages and files in memory: a few dozen kilobytes.

    Every file's address contains one digest of all files, so a browser can cache them and never
    mixes two versions; the pages contain the current digest.

    Args:
        paths: the API's paths, offered in the filter of exchanges.
    """

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self._paths = paths
        contents = {
            file.name: file.read_bytes()
            for folder in (_HERE / "static", charts.FOLDER)
            for file in sorted(folder.iterdir())
            if file.suffix in _TYPES
        }
        contents["grades.js"] = b"export const GRADES = %s;\n" % encode(grades())
        self.digest = _digest(b"".join(contents.values()))
        self.files = {
            name: StaticFile(_TYPES[Path(name).suffix], partial(bytes, data))
            for name, data in contents.items()
        }
        self.pages = {path: self._page(template, path) for path, template in _PAGES.items()}
        self.not_found = self._page("not_found.html")
        self.report_key = self._page("report_key.html")

    def _page(self, template: str, path: str = "") -> StaticFile:
        def render() -> bytes:
            # a worker that serves no pages never imports Jinja2
            from diamond_adapters.templates import templates_in

            page = templates_in(_HERE / "pages").get_template(template)
            static = f"/static/{self.digest}"
            return page.render(path=path, static=static, paths=self._paths).encode()

        return StaticFile("text/html; charset=utf-8", render)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
