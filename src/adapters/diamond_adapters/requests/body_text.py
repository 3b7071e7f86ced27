"""Bodies as text: unchanged if they are UTF-8, else as base64."""

from __future__ import annotations

import base64
from typing import Final

UTF_8: Final = "utf-8"
BASE64: Final = "base64"


def to_text(body: bytes) -> tuple[str, str]:
    """Return the encoding and the text of a body."""
    try:
        return UTF_8, body.decode()
    except UnicodeDecodeError:
        return BASE64, base64.b64encode(body).decode()


def from_text(encoding: str, text: str) -> bytes:
    """Return the body, from the results of ``to_text``."""
    return text.encode() if encoding == UTF_8 else base64.b64decode(text)
