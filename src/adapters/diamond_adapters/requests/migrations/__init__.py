"""The tables of the request log, made and upgraded step by step by the scripts beside this file.

A script that has been released is never changed. Each only adds, so that a host of the version
before goes on working beside one of the new version; and each may be run again.
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

TABLES: Final = frozenset({"requests", "request_parts", "spool_marks"})
_HISTORY: Final = "schema_migrations"
_WAIT_SECONDS: Final = 20


def migrate(database: peewee.Database, folder: Path = Path(__file__).parent) -> None:
    """Bring the tables up to date with the scripts in *folder*; several hosts may do so at once.

    Raises:
        peewee.PeeweeException: the database failed, or another host held it too long.
    """
    runner = Runner(database, str(folder), table_name=_HISTORY)
    if _is_up_to_date(runner):
        return
    with _alone(database):
        if not _is_up_to_date(runner):  # another may have been quicker
            if runner.applied() and not TABLES.issubset(database.get_tables()):
                runner.History.delete().execute()  # somebody dropped a table: make it again
            runner.up()


def _is_up_to_date(runner: Runner) -> bool:
    applied = runner.applied()
    return TABLES.issubset(runner.database.get_tables()) and all(
        migration.name in applied for migration in runner.migrations()
    )


@contextmanager
def _alone(database: peewee.Database) -> Iterator[None]:
    """Keep other hosts from migrating: MySQL's transactions do not hold tables being made."""
    if not is_mysql(database):
        with database.atomic("EXCLUSIVE"):
            yield
        return
    # the names of locks are the whole server's, and have at most 64 characters
    digest = hashlib.sha256(database.database.encode()).hexdigest()[:32]
    name = f"diamond-migrations-{digest}"
    held = database.execute_sql("SELECT GET_LOCK(%s, %s)", (name, _WAIT_SECONDS)).fetchone()
    if held != (1,):
        raise peewee.OperationalError("another host is upgrading the tables and does not finish")
    try:
        yield
    finally:
        database.execute_sql("SELECT RELEASE_LOCK(%s)", (name,))
