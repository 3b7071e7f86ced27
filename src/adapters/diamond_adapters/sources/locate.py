"""Find the sources that a user names on the command line."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from diamond_adapters.installed import STONE_SOURCES, find, open_url
from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.expected import STONES, Expected
from diamond_adapters.sources.file_source import FileSource
from diamond_core import InvalidUrl, RawStones, SourceUnreadable, StoneSource

_FILES: Final = ("file", "http", "https")


def locate_sources(
    texts: Sequence[str],
    encoding: str | None = None,
    outcomes: StoneSource | None = None,
    expected: Expected = STONES,
) -> list[StoneSource]:
    """Return the sources that *texts* name: files, globs, URLs; without any, the bundled data.

    ``file.xlsx#name`` is one sheet of a workbook. A CSV that is not UTF-8 is read in *encoding*.
    ``outcomes`` names *outcomes*, if it is given. Files have what is *expected*.

    Raises:
        SourceUnreadable: a text does not name a source.
    """
    if not texts:
        return [bundled_source()]
    return [source for text in texts for source in _locate(text, encoding, outcomes, expected)]


def locate_unattended(
    texts: Sequence[str], encoding: str | None = None, outcomes: StoneSource | None = None
) -> list[StoneSource]:
    """Return the sources that *texts* name, for work that nobody watches.

    A glob that matches nothing names none. What can't be found is a source that can't be read.
    """
    found: list[StoneSource] = []
    for text in texts:
        try:
            found += _locate(text, encoding, outcomes)
        except SourceUnreadable as ex:
            if _is_url(text) or not glob.has_magic(text):
                found.append(_NotFound(ex))
    return found


class _NotFound:
    """A ``StoneSource`` that can't be read."""

    def __init__(self, error: SourceUnreadable) -> None:
        self.name = error.source
        self._error = error

    def read(self) -> Iterator[RawStones]:
        raise self._error


def _is_url(text: str) -> bool:
    scheme, colon, _ = text.partition(":")
    return "://" in text or (bool(colon) and scheme.lower() in find(STONE_SOURCES))


def _locate(
    text: str,
    encoding: str | None,
    outcomes: StoneSource | None,
    expected: Expected = STONES,
) -> list[StoneSource]:
    if _is_url(text):
        scheme = text.partition(":")[0]
        is_file = scheme.lower() in _FILES
        options: dict[str, object] = {}
        if is_file and encoding is not None:
            options["encoding"] = encoding
        if is_file and expected is not STONES:
            options["expected"] = expected
        try:
            return [open_url(STONE_SOURCES, text, **options)]
        except InvalidUrl as ex:
            raise SourceUnreadable(f"{scheme}:...", str(ex)) from ex
    path = Path(text)
    if text == "bundled" and not path.exists():
        return [bundled_source()]
    if text == "outcomes" and outcomes is not None and not path.exists():
        return [outcomes]
    if path.is_file():
        return [FileSource.from_path(path, encoding=encoding, expected=expected)]
    if path.is_dir():
        raise SourceUnreadable(text, "it is a folder; name its files, such as 'folder/*.csv'")
    book, sign, sheet = text.rpartition("#")
    if sign and Path(book).is_file():
        return [FileSource.from_path(Path(book), encoding=encoding, sheet=sheet, expected=expected)]
    matches = sorted(glob.glob(text, recursive=True))
    if not matches:
        raise SourceUnreadable(text, "file not found")
    return [
        FileSource.from_path(Path(match), encoding=encoding, expected=expected) for match in matches
    ]
