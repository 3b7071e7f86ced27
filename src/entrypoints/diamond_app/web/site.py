"""The pages and their files, made from the package once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from diamond_adapters import charts
from diamond_core.stones.fields import FIELDS, GradeField

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
    "/stones": "stones.html",
    "/models": "models.html",
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

    Every file's address holds one digest of all of them, so that a browser may keep them and
    never mixes the files of two versions; the pages name the digest of today.
    """

    def __init__(self) -> None:
        contents = {
            file.name: file.read_bytes()
            for folder in (_HERE / "static", charts.FOLDER)
            for file in sorted(folder.iterdir())
            if file.suffix in _TYPES
        }
        contents["fields.js"] = _fields_script()
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
            # a worker that is asked for no page starts without Jinja2
            from diamond_adapters.templates import templates_in

            page = templates_in(_HERE / "pages").get_template(template)
            return page.render(path=path, static=f"/static/{self.digest}").encode()

        return StaticFile("text/html; charset=utf-8", render)


def _fields_script() -> bytes:
    """Return the fields of a stone for the pages' scripts."""
    return (
        b"export const FIELDS = %s;\n"
        % json.dumps(
            [
                {
                    "name": each.name,
                    "label": each.label,
                    "about": each.about,
                    "required": each.required,
                    "grades": [{"grade": g, "meaning": m} for g, m in each.meanings.items()],
                }
                if isinstance(each, GradeField)
                else {
                    "name": each.name,
                    "label": each.label,
                    "about": each.about,
                    "required": each.required,
                    "unit": each.unit,
                    "minimum": each.minimum,
                    "maximum": each.maximum,
                }
                for each in FIELDS.values()
            ]
        ).encode()
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
