"""Find the sources that a user names on the command line."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from diamond_adapters.installed import STONE_SOURCES, find, open_url
from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.csv_source import CsvSource
from diamond_core import InvalidUrl, SourceUnreadable, StoneSource


def locate_sources(texts: Sequence[str]) -> list[StoneSource]:
    """Return the sources that *texts* name: files, globs, URLs; without any, the bundled data.

    Raises:
        SourceUnreadable: a text does not name a source.
    """
    if not texts:
        return [bundled_source()]
    return [source for text in texts for source in _locate(text)]


def _locate(text: str) -> list[StoneSource]:
    scheme, colon, _ = text.partition(":")
    if "://" in text or (colon and scheme.lower() in find(STONE_SOURCES)):
        try:
            return [open_url(STONE_SOURCES, text)]
        except InvalidUrl as ex:
            raise SourceUnreadable(f"{scheme}:...", str(ex)) from ex
    path = Path(text)
    if path.is_file():
        return [CsvSource.from_path(path)]
    if path.is_dir():
        raise SourceUnreadable(text, "it is a folder; name its files, such as 'folder/*.csv'")
    matches = sorted(glob.glob(text, recursive=True))
    if not matches:
        raise SourceUnreadable(text, "file not found")
    return [CsvSource.from_path(Path(match)) for match in matches]
