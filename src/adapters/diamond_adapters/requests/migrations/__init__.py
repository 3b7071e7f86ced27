"""The tables of the request log, created and upgraded step by step by the scripts in this folder.

A released script is never changed. Each script only adds, so that hosts of the previous and the new
version work at the same time; and each script can be run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import peewee
from playhouse.migrations import Runner  # type: ignore[import-untyped]  # no stubs

from diamond_adapters.database import is_mysql

TABLES: Final = frozenset({"requests", "request_parts", "spool_marks", "outcomes", "shadow_prices"})
_HISTORY: Final = "schema_migrations"
_WAIT_SECONDS: Final = 20


def migrate(database: peewee.Database, folder: Path = Path(__file__).parent) -> None:
    """Bring the tables up to date with the scripts in *folder*; hosts can do this at the same time.

    Raises:
        peewee.PeeweeException: the database failed, or another host locked it for too long.
    """
    runner = Runner(database, str(folder), table_name=_HISTORY)
    if _is_up_to_date(runner):
        return
    with _alone(database):
        if not _is_up_to_date(runner):  # another host may have done it
            if runner.applied() and not TABLES.issubset(database.get_tables()):
                runner.History.delete().execute()  # a table was dropped: create it again
            runner.up()


def _is_up_to_date(runner: Runner) -> bool:
    applied = runner.applied()
    return TABLES.issubset(runner.database.get_tables()) and all(
        migration.name in applied for migration in runner.migrations()
    )


@contextmanager
def _alone(database: peewee.Database) -> Iterator[None]:
    """Keep other hosts from migrating: MySQL's transactions do not cover CREATE TABLE."""
    if not is_mysql(database):
        with database.atomic("EXCLUSIVE"):
            yield
        return
    # lock names are shared by the whole server and have at most 64 characters
    digest = hashlib.sha256(database.database.encode()).hexdigest()[:32]
    name = f"diamond-migrations-{digest}"
    held = database.execute_sql("SELECT GET_LOCK(%s, %s)", (name, _WAIT_SECONDS)).fetchone()
    if held != (1,):
        raise peewee.OperationalError("another host is upgrading the tables and does not finish")
    try:
        yield
    finally:
        database.execute_sql("SELECT RELEASE_LOCK(%s)", (name,))
