"""What the shipper says of itself, in a file of the spool."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FILE: Final = "shipper.json"
_BYTES: Final = 4096
_PROBLEM_BYTES: Final = 500
_FEW_MARKS: Final = 60
_TRIES: Final = 3


def settings_of(database: str, keep: timedelta | None) -> str:
    """Return the text that tells these settings of a shipper from others.

    Args:
        database: tells its database from others.
        keep: for how long the destination keeps an exchange.
    """
    return f"{database} {keep or 'for good'}"


class ShipperState(Struct, frozen=True, kw_only=True):
    """What the shipper last said of itself.

    Attributes:
        at: when, in seconds since 1970.
        problem: why the destination does not take exchanges, or ''.
        marks: for each file of the spool that the destination has some rows of, the last of them; of
            the first ones only, where there are many.
        shipped: exchanges that were moved, since the home was made.
        unreadable: files that this process may not read now, or SQLite can't.
        held: for so many seconds more old exchanges are not deleted, because the clock jumped ahead.
        settings: those that it was begun with, or that another is to be begun with: ``settings_of``.
    """

    at: float = 0.0
    problem: str = ""
    marks: dict[str, int] = {}  # msgspec makes a new one for each
    shipped: int = 0
    unreadable: int = 0
    held: float = 0.0
    settings: str = ""

    @property
    def database(self) -> str:
        """What tells the database that it ships to from others; '' where that is not known."""
        return self.settings.partition(" ")[0]

    @classmethod
    def read(cls, folder: Path) -> ShipperState:
        """Return the last state; that of a home without one is empty."""
        for _ in range(_TRIES):
            try:
                return msgspec.json.decode((folder / FILE).read_bytes(), type=cls)
            except ValueError:  # it is written at this moment
                continue
            except OSError:
                break
        return cls()

    def write(self, folder: Path) -> None:
        """Keep it for whoever asks, in a file of fixed size: a full disk can hold it."""
        few = dict(islice(self.marks.items(), _FEW_MARKS))  # one a worker, as a rule
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
