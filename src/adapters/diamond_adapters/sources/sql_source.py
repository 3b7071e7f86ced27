"""Stones from a table of a SQL database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

import peewee

from diamond_adapters.database import SqliteFile, open_database
from diamond_core import (
    BATCH_ROWS,
    READ_COLUMNS,
    InvalidUrl,
    RawStones,
    SourceUnreadable,
)

_TABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class SqlSource:
    """A ``StoneSource`` of the rows of one table or view.

    Args:
        url: ``sqlite:///stones.db?table=bought`` or ``mysql://user:password@host/name?table=bought``;
            the default table is ``diamonds``. Columns are found by their names, in any case;
            others are ignored. Rows are numbered from 1 in the order of the database's answer.

    Raises:
        SourceUnreadable: the URL can't be used; the message contains no password.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._table = options.pop("table", "diamonds")
        host = parts.netloc.rpartition("@")[2]
        shown = f"{parts.scheme}://{host}{parts.path}"
        self.name = f"{shown}?table={quote(self._table)}"
        if _TABLE.fullmatch(self._table) is None:
            raise SourceUnreadable(shown, "the table's name can have only letters, digits, _ and $")
        try:
            self._database = open_database(_without_table(parts, options), readonly=True)
        except InvalidUrl as ex:
            raise SourceUnreadable(shown, str(ex)) from ex

    def read(self) -> Iterator[RawStones]:
        if isinstance(self._database, SqliteFile) and not self._database.path.is_file():
            raise SourceUnreadable(self.name, "file not found")
        try:
            with self._database.connection_context(), peewee.__exception_wrapper__:
                if isinstance(self._database, SqliteFile):  # a row of them is rejected
                    self._database.accept_damaged_texts()
                yield from self._batches(self._cursor())
        except peewee.PeeweeException as ex:
            raise SourceUnreadable(self.name, str(ex)) from ex

    def _cursor(self) -> Any:
        """Return a cursor that fetches the rows from the server in parts."""
        connection = self._database.connection()
        if not isinstance(self._database, peewee.MySQLDatabase):
            return connection.execute(f'SELECT * FROM "{self._table}"')  # noqa: S608  # checked
        from pymysql.cursors import SSCursor

        cursor = connection.cursor(SSCursor)
        cursor.execute(f"SELECT * FROM `{self._table}`")  # noqa: S608  # checked above
        return cursor

    def _batches(self, cursor: Any) -> Iterator[RawStones]:
        header = [column[0] for column in cursor.description]
        names = [name.casefold() for name in header]
        first = 1
        while rows := cursor.fetchmany(BATCH_ROWS):
            values = list(zip(*rows, strict=True))
            found = {name: values[at] for at, name in enumerate(names) if name in READ_COLUMNS}
            lines = range(first, first + len(rows))
            delivered = list(zip(lines, rows, strict=True))
            yield RawStones(self.name, found, lines, (), header, delivered)
            first += len(rows)
        if first == 1:
            none: dict[str, Sequence[object]] = {name: () for name in names if name in READ_COLUMNS}
            yield RawStones(self.name, none, [], (), header)


def _without_table(parts: SplitResult, options: dict[str, str]) -> str:
    # urlunsplit would drop the empty host of sqlite:///path
    url = f"{parts.scheme}://{parts.netloc}{parts.path}"
    url = f"{url}?{urlencode(options)}" if options else url
    return f"{url}#{parts.fragment}" if parts.fragment else url
