"""The table of the prices of shadows."""

from __future__ import annotations

from typing import Any, Final

from diamond_adapters.database import is_mysql

_SQLITE: Final = (
    """CREATE TABLE IF NOT EXISTS shadow_prices (
        id TEXT NOT NULL,
        priced_at TEXT NOT NULL,
        model_id TEXT NOT NULL,
        price REAL NOT NULL,
        shadow_model_id TEXT NOT NULL,
        shadow_price REAL NOT NULL,
        PRIMARY KEY (id, shadow_model_id)
    )""",
    "CREATE INDEX IF NOT EXISTS shadow_prices_time ON shadow_prices (priced_at)",
)
_MYSQL: Final = (
    """CREATE TABLE IF NOT EXISTS shadow_prices (
        id VARCHAR(64) NOT NULL,
        priced_at DATETIME(6) NOT NULL,
        model_id VARCHAR(255) NOT NULL,
        price DOUBLE NOT NULL,
        shadow_model_id VARCHAR(255) NOT NULL,
        shadow_price DOUBLE NOT NULL,
        PRIMARY KEY (id, shadow_model_id),
        KEY shadow_prices_time (priced_at)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
)


def up(migrator: Any, db: Any) -> None:
    """Create the table, if it is missing."""
    for statement in _MYSQL if is_mysql(db) else _SQLITE:
        db.execute_sql(statement)
