"""What the fault tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mariadb import MariaDB, fresh_database, running_mariadb


@pytest.fixture(scope="session")
def server() -> Iterator[MariaDB]:
    """A server that the fault tests kill, freeze, and leave running in the end."""
    with running_mariadb() as server:
        yield server


@pytest.fixture
def url(server: MariaDB) -> Iterator[str]:
    """The URL of an empty database on it."""
    with fresh_database(server.url) as url:
        yield url
