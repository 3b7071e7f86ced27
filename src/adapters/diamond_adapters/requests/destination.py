"""The spool's destination: a request log that also stores marks."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from diamond_adapters.installed import REQUEST_LOGS, open_url
from diamond_adapters.private_files import create_file
from diamond_adapters.requests.rows import Row, exchange_of
from diamond_core import RequestLog, Unavailable


@runtime_checkable
class Destination(RequestLog, Protocol):
    """A request log that also stores, for each file of a spool, the last row that it has."""

    def deliver(self, file: str, last: int, rows: Sequence[Row]) -> None:
        """Store *rows* and, in the same transaction, the mark: *file* is stored up to row *last*.

        Without a *file* there is no mark. Rows that are already stored have no effect.

        Raises:
            Refused: one of them can never be stored.
            Unavailable: none was stored; a retry is safe.
        """
        ...

    def deliver_file(self, path: Path, file: str, last: int) -> int | None:
        """Store all rows after *last* of the SQLite file at *path*, and the mark; return the last.

        Return None if this destination can't read such a file itself. Raises the same errors as
        ``deliver``.
        """
        ...

    def marks(self) -> Mapping[str, int]:
        """Return for each file the number of the last stored row.

        Raises:
            Unavailable: the log can't be read.
        """
        ...

    def size(self) -> int:
        """Return the size of what it stores, in bytes; 0 if it is unknown.

        Raises:
            Unavailable: the log can't be read.
        """
        ...

    def forget_marks(self, files: Collection[str]) -> None:
        """Delete the marks of *files*, which no longer exist.

        Raises:
            Unavailable: the marks were not deleted.
        """
        ...


def open_destination(url: str, spool: Path) -> Destination:
    """Return the request log at *url*, with marks for the files of *spool*.

    Raises:
        InvalidUrl: no adapter can use it.
    """
    log: RequestLog = open_url(REQUEST_LOGS, url)
    return log if isinstance(log, Destination) else WithMarks(log, spool / "marks.json")


class WithMarks:
    """Makes any request log a ``Destination``; writes the marks to a file after the exchanges.

    If the process dies before it writes the mark, they are delivered again, which has no effect.
    """

    def __init__(self, log: RequestLog, path: Path) -> None:
        self._path = path
        self.append, self.append_all = log.append, log.append_all
        self.find, self.count, self.prune = log.find, log.count, log.prune
        self.health, self.start, self.close = log.health, log.start, log.close

    def deliver(self, file: str, last: int, rows: Sequence[Row]) -> None:
        self.append_all([exchange_of(row) for row in rows])
        if file:
            self._write({**self.marks(), file: last})

    def deliver_file(self, path: Path, file: str, last: int) -> int | None:
        return None

    def marks(self) -> Mapping[str, int]:
        try:
            marks: dict[str, int] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as ex:
            raise Unavailable(f"{self._path} can't be read ({ex})") from ex
        return marks

    def size(self) -> int:
        return 0

    def forget_marks(self, files: Collection[str]) -> None:
        self._write({name: last for name, last in self.marks().items() if name not in files})

    def _write(self, marks: Mapping[str, int]) -> None:
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            create_file(draft)
            draft.write_text(json.dumps(marks), encoding="utf-8")
            draft.replace(self._path)
        except OSError as ex:
            raise Unavailable(f"{self._path} can't be written ({ex.strerror})") from ex
