"""The tables of the record, made and upgraded step by step.

A migration that has been released is never changed. Each only adds, so that a host of the
version before goes on working beside one of the new version; and each may be run again, because
MySQL keeps half of a migration that was cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import peewee

_WAIT_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its statements on SQLite and on MySQL."""

    version: int
    name: str
    sqlite: Sequence[str]
    mysql: Sequence[str]


MIGRATIONS: Final = (
    Migration(
        1,
        "keep requests",
        sqlite=(
            """CREATE TABLE IF NOT EXISTS requests (
                id TEXT NOT NULL PRIMARY KEY,
                request_id TEXT NOT NULL,
                occurred_at TEXT NOT NULL,
                method TEXT NOT NULL,
                path TEXT NOT NULL,
                query TEXT NOT NULL,
                headers TEXT NOT NULL,
                client TEXT NOT NULL,
                key_name TEXT NOT NULL,
                status INTEGER NOT NULL,
                duration_ms REAL NOT NULL,
                model_id TEXT NOT NULL,
                request_encoding TEXT NOT NULL,
                response_encoding TEXT NOT NULL,
                request_body TEXT NOT NULL,
                response_body TEXT NOT NULL
            )""",
            "CREATE INDEX IF NOT EXISTS requests_request_id ON requests (request_id)",
            "CREATE INDEX IF NOT EXISTS requests_time ON requests (occurred_at)",
            "CREATE INDEX IF NOT EXISTS requests_status ON requests (status, id)",
            "CREATE INDEX IF NOT EXISTS requests_path ON requests (path)",
            "CREATE INDEX IF NOT EXISTS requests_model ON requests (model_id, id)",
        ),
        mysql=(
            """CREATE TABLE IF NOT EXISTS requests (
                id VARCHAR(32) NOT NULL PRIMARY KEY,
                request_id VARCHAR(255) NOT NULL,
                occurred_at DATETIME(6) NOT NULL,
                method VARCHAR(255) NOT NULL,
                path MEDIUMTEXT NOT NULL,
                query MEDIUMTEXT NOT NULL,
                headers MEDIUMTEXT NOT NULL,
                client VARCHAR(255) NOT NULL,
                key_name VARCHAR(255) NOT NULL,
                status SMALLINT NOT NULL,
                duration_ms DOUBLE NOT NULL,
                model_id VARCHAR(255) NOT NULL,
                request_encoding VARCHAR(16) NOT NULL,
                response_encoding VARCHAR(16) NOT NULL,
                request_body LONGTEXT NOT NULL,
                response_body LONGTEXT NOT NULL,
                KEY requests_request_id (request_id),
                KEY requests_time (occurred_at),
                KEY requests_status (status, id),
                KEY requests_path (path(191)),
                KEY requests_model (model_id, id)
            ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
            DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        ),
    ),
    Migration(
        2,
        "keep bodies larger than a packet",
        sqlite=(
            """CREATE TABLE IF NOT EXISTS request_parts (
                id TEXT NOT NULL,
                body TEXT NOT NULL,
                place INTEGER NOT NULL,
                text TEXT NOT NULL,
                PRIMARY KEY (id, body, place)
            )""",
        ),
        mysql=(
            """CREATE TABLE IF NOT EXISTS request_parts (
                id VARCHAR(32) NOT NULL,
                body VARCHAR(16) NOT NULL,
                place INT NOT NULL,
                text LONGTEXT NOT NULL,
                PRIMARY KEY (id, body, place)
            ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
            DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        ),
    ),
)


def migrate(database: peewee.Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the tables up to date; several hosts may do so at once.

    Raises:
        peewee.PeeweeException: the database failed, or another host held it too long.
    """
    if _missing(database, migrations):
        with _alone(database):
            _prepare(database)
            for migration in _missing(database, migrations):  # another may have been quicker
                _run(database, migration)


def is_mysql(database: peewee.Database) -> bool:
    """Tell whether it is MySQL or MariaDB, and not SQLite."""
    return isinstance(database, peewee.MySQLDatabase)


def _missing(database: peewee.Database, migrations: Sequence[Migration]) -> list[Migration]:
    applied: set[int] = set()
    if "schema_migrations" in database.get_tables():
        applied = {row[0] for row in database.execute_sql("SELECT version FROM schema_migrations")}
    return [migration for migration in migrations if migration.version not in applied]


def _prepare(database: peewee.Database) -> None:
    database.execute_sql(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "version INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL,"
        " applied_at VARCHAR(32) NOT NULL)"
    )


def _run(database: peewee.Database, migration: Migration) -> None:
    for statement in migration.mysql if is_mysql(database) else migration.sqlite:
        database.execute_sql(statement)
    mark = database.param
    database.execute_sql(
        "INSERT INTO schema_migrations (version, name, applied_at)"  # noqa: S608  # only marks
        f" VALUES ({mark}, {mark}, {mark})",
        (migration.version, migration.name, datetime.now(UTC).isoformat(timespec="seconds")),
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
