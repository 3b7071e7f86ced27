"""The files that a page of the documentation tells its readers to make."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_FILE = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)


def make_files(page: str, folder: Path) -> None:
    """Write every titled code block of the *page* to *folder*."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, content in _FILE.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
