"""The shipper's state, in a file of the spool."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from diamond_adapters.requests.retention import Retention

FILE: Final = "shipper.json"
_BYTES: Final = 4096
_PROBLEM_BYTES: Final = 500
_FEW_MARKS: Final = 60
_TRIES: Final = 3


def settings_of(database: str, retention: Retention, watch: str = "") -> str:
    """Return a text that identifies these settings of a shipper.

    Args:
        database: identifies its database.
        retention: what the destination keeps.
        watch: identifies what its monitor does.
    """
    return f"{database} {retention} {watch}"


class ShipperState(Struct, frozen=True, kw_only=True):
    """The state that the shipper last wrote.

    Attributes:
        at: when it was written, in seconds since 1970.
        problem: why the destination does not accept exchanges, or ''.
        marks: for each file of the spool that is at least partly shipped, its last shipped row; if
            there are many files, only for the first ones.
        shipped: the number of moved exchanges since the home was created.
        unreadable: the number of files that this process or SQLite can't read now.
        held: for how many more seconds nothing is deleted, because the clock jumped ahead.
        size: the size of the destination in bytes; 0 if it is unknown.
        limit: its maximum, as in ``Retention``.
        settings: those of this shipper, or of the one that must replace it; see ``settings_of``.
    """

    at: float = 0.0
    problem: str = ""
    marks: dict[str, int] = {}  # msgspec copies the default
    shipped: int = 0
    unreadable: int = 0
    held: float = 0.0
    size: int = 0
    limit: int = 0
    settings: str = ""

    @property
    def database(self) -> str:
        """Identifies the database that it ships to; '' if it is unknown."""
        return self.settings.partition(" ")[0]

    @classmethod
    def read(cls, folder: Path) -> ShipperState:
        """Return the last state, or an empty one if the home has none."""
        for _ in range(_TRIES):
            try:
                return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)
            except ValueError:  # it is just being written
                continue
            except OSError:
                break
        return cls()

    def write(self, folder: Path) -> None:
        """Write it to a file of fixed size, which works on a full disk."""
        few = dict(islice(self.marks.items(), _FEW_MARKS))  # usually one per worker
        problem = self.problem.encode(errors="replace")[:_PROBLEM_BYTES].decode(errors="ignore")
        state = msgspec.structs.replace(self, problem=problem, marks=few)
        data = msgspec.json.encode(state).ljust(_BYTES)
        with suppress(OSError):
            file = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, data, 0)
                os.ftruncate(file, len(data))
            finally:
                os.close(file)
