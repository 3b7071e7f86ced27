"""What the shipper says of itself, in a file of the spool."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

FILE: Final = "shipper.json"
_BYTES: Final = 4096
_PROBLEM_BYTES: Final = 500
_FEW_MARKS: Final = 60
_TRIES: Final = 3


def settings_of(database: str, keep: timedelta | None) -> str:
    """Return the text that tells these settings of a shipper from others.

    Args:
        database: tells its database from others.
        keep: for how long the record keeps an exchange.
    """
    return f"{database} {keep or 'for good'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperState:
    """What the shipper last said of itself.

    Attributes:
        at: when, in seconds since 1970.
        problem: why the record does not take exchanges, or ''.
        marks: for each file of the spool that the record has some rows of, the last of them; of
            the first ones only, where there are many.
        shipped: exchanges that were moved, since the home was made.
        unreadable: files that this process may not read now, or SQLite can't.
        held: for so many seconds more old exchanges are not deleted, because the clock jumped ahead.
        settings: those that it was begun with, or that another is to be begun with: ``settings_of``.
    """

    at: float = 0.0
    problem: str = ""
    marks: Mapping[str, int] = field(default_factory=dict)
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
                return cls._of(json.loads((folder / FILE).read_bytes()))
            except ValueError:  # it is written at this moment
                continue
            except (OSError, TypeError):
                break
        return cls()

    @classmethod
    def _of(cls, values: Mapping[str, object]) -> ShipperState:
        """Raise ``TypeError`` where a value is of another type."""
        usual = cls()
        known: dict[str, Any] = {name: values[name] for name in asdict(usual) if name in values}
        for name, value in known.items():
            kind = type(getattr(usual, name))
            if not isinstance(value, (int, kind) if kind is float else kind):
                raise TypeError(name)
        return replace(usual, **known)

    def write(self, folder: Path) -> None:
        """Keep it for whoever asks, in a file of fixed size: a full disk can hold it."""
        few = dict(islice(self.marks.items(), _FEW_MARKS))  # one a worker, as a rule
        problem = self.problem.encode(errors="replace")[:_PROBLEM_BYTES].decode(errors="ignore")
        state = replace(self, problem=problem, marks=few)
        data = json.dumps(asdict(state), ensure_ascii=False).encode().ljust(_BYTES)
        with suppress(OSError):
            file = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, data, 0)
                os.ftruncate(file, len(data))
            finally:
                os.close(file)
