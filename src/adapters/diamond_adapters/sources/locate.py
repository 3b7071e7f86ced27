"""Find the sources that a user names on the command line."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from diamond_adapters.installed import STONE_SOURCES, find, open_url
from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.csv_source import CsvSource
from diamond_core import InvalidUrl, RawStones, SourceUnreadable, StoneSource


def locate_sources(texts: Sequence[str]) -> list[StoneSource]:
    """Return the sources that *texts* name: files, globs, URLs; without any, the bundled data.

    Raises:
        SourceUnreadable: a text does not name a source.
    """
    if not texts:
        return [bundled_source()]
    return [source for text in texts for source in _locate(text)]


def locate_unattended(texts: Sequence[str]) -> list[StoneSource]:
    """Return the sources that *texts* name, for work that nobody watches.

    A glob that matches nothing names none. What can't be found is a source that can't be read.
    """
    found: list[StoneSource] = []
    for text in texts:
        try:
            found += _locate(text)
        except SourceUnreadable as ex:
            if not glob.has_magic(text):
                found.append(_NotFound(ex))
    return found


class _NotFound:
    """A ``StoneSource`` that can't be read."""

    def __init__(self, error: SourceUnreadable) -> None:
        self.name = error.source
        self._error = error

    def read(self) -> Iterator[RawStones]:
        raise self._error


def _locate(text: str) -> list[StoneSource]:
    scheme, colon, _ = text.partition(":")
    if "://" in text or (colon and scheme.lower() in find(STONE_SOURCES)):
        try:
            return [open_url(STONE_SOURCES, text)]
        except InvalidUrl as ex:
            raise SourceUnreadable(f"{scheme}:...", str(ex)) from ex
    path = Path(text)
    if text == "bundled" and not path.exists():
        return [bundled_source()]
    if path.is_file():
        return [CsvSource.from_path(path)]
    if path.is_dir():
        raise SourceUnreadable(text, "it is a folder; name its files, such as 'folder/*.csv'")
    matches = sorted(glob.glob(text, recursive=True))
    if not matches:
        raise SourceUnreadable(text, "file not found")
    return [CsvSource.from_path(Path(match)) for match in matches]
