"""The exchanges, the rest of bodies that are too large for one statement, and the spools' marks."""

from __future__ import annotations

from typing import Any, Final

from diamond_adapters.database import is_mysql

_SQLITE: Final = (
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
        request_truncation TEXT NOT NULL,
        response_truncation TEXT NOT NULL,
        request_encoding TEXT NOT NULL,
        response_encoding TEXT NOT NULL,
        request_body TEXT NOT NULL,
        response_body TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS request_parts (
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        place INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (id, body, place)
    )""",
    """CREATE TABLE IF NOT EXISTS spool_marks (
        file TEXT NOT NULL PRIMARY KEY,
        last INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS requests_request_id ON requests (request_id)",
    "CREATE INDEX IF NOT EXISTS requests_time ON requests (occurred_at)",
    "CREATE INDEX IF NOT EXISTS requests_status ON requests (status, id)",
    "CREATE INDEX IF NOT EXISTS requests_path ON requests (path)",
    "CREATE INDEX IF NOT EXISTS requests_model ON requests (model_id, id)",
)
_END: Final = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_MYSQL: Final = (
    f"""CREATE TABLE IF NOT EXISTS requests (
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
        request_truncation VARCHAR(96) NOT NULL,
        response_truncation VARCHAR(96) NOT NULL,
        request_encoding VARCHAR(16) NOT NULL,
        response_encoding VARCHAR(16) NOT NULL,
        request_body LONGTEXT NOT NULL,
        response_body LONGTEXT NOT NULL,
        KEY requests_request_id (request_id),
        KEY requests_time (occurred_at),
        KEY requests_status (status, id),
        KEY requests_path (path(191)),
        KEY requests_model (model_id, id)
    ) {_END}""",
    f"""CREATE TABLE IF NOT EXISTS request_parts (
        id VARCHAR(32) NOT NULL,
        body VARCHAR(16) NOT NULL,
        place INT NOT NULL,
        text LONGTEXT NOT NULL,
        PRIMARY KEY (id, body, place)
    ) {_END}""",
    f"""CREATE TABLE IF NOT EXISTS spool_marks (
        file VARCHAR(64) NOT NULL PRIMARY KEY,
        last BIGINT NOT NULL
    ) {_END}""",
)


def up(migrator: Any, db: Any) -> None:
    """Create the missing tables: MySQL keeps the first half of an interrupted migration."""
    for statement in _MYSQL if is_mysql(db) else _SQLITE:
        db.execute_sql(statement)
