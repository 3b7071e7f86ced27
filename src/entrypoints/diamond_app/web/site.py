"""The pages and their files, read from the package once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from diamond_core.stones.fields import FIELDS, GradeField

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
ICON: Final = "favicon.svg"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served: its bytes, its content type and its entity tag."""

    data: bytes
    content_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class PageText:
    """What the layout needs to know of one page; *body* and *script* are names of files."""

    path: str
    title: str
    body: str
    script: str


PAGES: Final = (
    PageText("/", "Price a diamond", "price.html", "price.js"),
    PageText("/stones", "Price a spreadsheet", "stones.html", "stones.js"),
    PageText("/models", "Models", "models.html", "models.js"),
    PageText("/requests", "Requests", "requests.html", "requests.js"),
)
_NOT_FOUND: Final = PageText("", "Not found", "not_found.html", "key.js")
_REPORT_KEY: Final = PageText("", "A key is needed", "report_key.html", "key.js")


class Site:
    """All pages and files in memory: a few dozen kilobytes.

    Every file's address holds one digest of all of them, so that a browser may keep them and
    never mixes the files of two versions; the pages name the digest of today.
    """

    def __init__(self) -> None:
        folder = Path(__file__).parent
        layout = folder.joinpath("pages", "layout.html").read_text(encoding="utf-8")
        contents = {
            each.name: each.read_bytes()
            for each in sorted(folder.joinpath("static").iterdir(), key=lambda each: each.name)
            if each.name[each.name.rfind(".") :] in _TYPES
        }
        contents["fields.js"] = _fields_script()
        self.digest = _digest(b"".join(contents.values()))
        self.files = {
            name: StaticFile(data, _TYPES[name[name.rfind(".") :]], f'"{_digest(data)}"')
            for name, data in contents.items()
        }

        def page(text: PageText) -> StaticFile:
            body = folder.joinpath("pages", text.body).read_text(encoding="utf-8")
            link = f'href="{text.path}"'
            html = (
                layout.replace(f"<a {link}", f'<a {link} aria-current="page"')
                .replace("{title}", escape(text.title))
                .replace("{script}", text.script)
                .replace("{main}", body)
                .replace("{static}", f"/static/{self.digest}")
            ).encode()
            return StaticFile(html, "text/html; charset=utf-8", f'"{_digest(html)}"')

        self.pages = {text.path: page(text) for text in PAGES}
        self.not_found = page(_NOT_FOUND)
        self.report_key = page(_REPORT_KEY)


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
