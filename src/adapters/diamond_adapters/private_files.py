"""Folders and files that only this user can read, whatever the umask: they contain what callers sent.

The mode is given where each is created, because the umask belongs to the whole process: a program
that imports this library, or a command that also writes a file for its user.
"""

from __future__ import annotations

import os
from pathlib import Path


def create_folder(path: Path) -> None:
    """Create the folder, and the missing ones above it, for this user only.

    Raises:
        OSError: it can't be created, or it is a file.
    """
    if not path.is_dir():
        create_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def create_file(path: Path) -> None:
    """Create an empty file for this user only; an existing one stays as it is.

    Raises:
        OSError: it can't be created.
    """
    # An existing file is not opened: closing it would release the locks that SQLite has on it.
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
