"""What the logs in a database have in common: their connections."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Self, TypeVar

import peewee

from diamond_adapters.database import is_mysql, open_database
from diamond_adapters.requests.session import Session

_Result = TypeVar("_Result")


class PeeweeLog:
    """A log in *database*; its tables are created or upgraded on first use.

    Processes can share it. A SQLite file is read through *reader*, which can't write.
    """

    durable: ClassVar[bool] = False
    """Whether what is stored survives a power cut, not only a killed process."""

    def __init__(self, database: peewee.Database, reader: peewee.Database | None = None) -> None:
        self._database = database
        self._mysql = is_mysql(database)
        self._reader = database if reader is None else reader
        self._session = Session(database)
        self._reads = self._session if reader is None else Session(reader, readonly=True)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the log in the database at *url*: see ``open_database``.

        Raises:
            InvalidUrl: it is not the URL of a supported database.
        """
        database = open_database(url, durable=cls.durable)
        return cls(database, None if is_mysql(database) else open_database(url, readonly=True))

    def close(self) -> None:
        """Close the connections; nothing that is stored is lost."""
        for database in {self._database, self._reader}:
            with suppress(peewee.PeeweeException):
                database.close()

    def _read(self, work: Callable[[], _Result], nothing: _Result) -> _Result:
        """Return the result of *work*, or *nothing* if there is no file yet."""
        return self._reads.read(work, nothing, self._session)
