"""The table of the outcomes of predictions."""

from __future__ import annotations

from typing import Any, Final

from diamond_adapters.database import is_mysql

_SQLITE: Final = (
    """CREATE TABLE IF NOT EXISTS outcomes (
        id TEXT NOT NULL,
        number INTEGER NOT NULL,
        price_paid REAL NOT NULL,
        paid_on TEXT NOT NULL,
        note TEXT NOT NULL,
        reported_at TEXT NOT NULL,
        key_name TEXT NOT NULL,
        diamond TEXT NOT NULL,
        model_id TEXT NOT NULL,
        predicted REAL NOT NULL,
        low REAL NOT NULL,
        high REAL NOT NULL,
        PRIMARY KEY (id, number)
    )""",
    "CREATE INDEX IF NOT EXISTS outcomes_time ON outcomes (reported_at)",
)
_MYSQL: Final = (
    """CREATE TABLE IF NOT EXISTS outcomes (
        id VARCHAR(64) NOT NULL,
        number INT NOT NULL,
        price_paid DOUBLE NOT NULL,
        paid_on VARCHAR(10) NOT NULL,
        note TEXT NOT NULL,
        reported_at DATETIME(6) NOT NULL,
        key_name VARCHAR(255) NOT NULL,
        diamond TEXT NOT NULL,
        model_id VARCHAR(255) NOT NULL,
        predicted DOUBLE NOT NULL,
        low DOUBLE NOT NULL,
        high DOUBLE NOT NULL,
        PRIMARY KEY (id, number),
        KEY outcomes_time (reported_at)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
)


def up(migrator: Any, db: Any) -> None:
    """Create the table, if it is missing."""
    for statement in _MYSQL if is_mysql(db) else _SQLITE:
        db.execute_sql(statement)
