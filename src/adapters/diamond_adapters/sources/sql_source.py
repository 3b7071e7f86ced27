"""Stones from a table of a SQL database."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

import peewee

from diamond_adapters.database import open_database
from diamond_core.cleaning import KNOWN_COLUMNS, RawStones, missing_columns
from diamond_core.errors import InvalidSetting, SourceUnreadable

SCHEMES: Final = ("sqlite", "mysql")
_TABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class SqlSource:
    """A ``DiamondSource`` of the rows of one table or view.

    Args:
        url: ``sqlite:///stones.db?table=bought`` or ``mysql://user:password@host/name?table=bought``;
            without ``table`` it is ``diamonds``. Columns are found by their names, in any case;
            others are ignored. Rows are numbered from 1 in the order the database gives them.

    Raises:
        SourceUnreadable: the URL can't be used; its password is not repeated.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._table = options.pop("table", "diamonds")
        host = parts.netloc.rpartition("@")[2]
        shown = f"{parts.scheme}://{host}{parts.path}"
        self.name = f"{shown}?table={quote(self._table)}"
        if _TABLE.fullmatch(self._table) is None:
            raise SourceUnreadable(shown, "its table must be named by letters, digits and _")
        try:
            self._database = open_database(_without_table(parts, options))
        except InvalidSetting as ex:
            raise SourceUnreadable(shown, str(ex).partition(": ")[2]) from ex

    def read(self) -> RawStones:
        try:
            with self._database.connection_context():
                quoted = "`" if isinstance(self._database, peewee.MySQLDatabase) else '"'
                cursor = self._database.execute_sql(
                    f"SELECT * FROM {quoted}{self._table}{quoted}"  # noqa: S608  # checked above
                )
                names = [column[0].casefold() for column in cursor.description]
                rows = cursor.fetchall()
        except peewee.PeeweeException as ex:
            raise SourceUnreadable(self.name, str(ex)) from ex
        missing = missing_columns(names)
        if missing:
            raise SourceUnreadable(
                self.name, f"the table lacks {', '.join(missing)}; it has {', '.join(names)}"
            )
        values = list(zip(*rows, strict=True)) or [()] * len(names)
        found = {name: values[at] for at, name in enumerate(names) if name in KNOWN_COLUMNS}
        return RawStones(self.name, found, range(1, len(rows) + 1))


def _without_table(parts: SplitResult, options: dict[str, str]) -> str:
    # not by urlunsplit, which drops the empty host of sqlite:///path
    url = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"{url}?{urlencode(options)}" if options else url
