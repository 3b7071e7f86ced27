"""Find a folder of files by its path or URL."""

from __future__ import annotations

from pathlib import Path

from diamond_adapters.folders import Folder, LocalFolder
from diamond_adapters.installed import not_installed
from diamond_core import InvalidUrl


def open_folder(text: str) -> Folder:
    """Return the folder at a path of this machine, or at the URL of an object store.

    Raises:
        InvalidUrl: the URL can't be used.
    """
    if "://" not in text:
        return LocalFolder(Path(text).expanduser().absolute())
    try:
        from diamond_adapters.object_folder import ObjectFolder
    except ImportError as ex:
        raise InvalidUrl(not_installed(ex)) from ex
    return ObjectFolder.from_url(text)
