"""What the tests of hostile clients share."""

from __future__ import annotations

import pytest
from falcon import testing
from wired import in_memory, with_champion

from diamond_app.container import Container
from diamond_app.wsgi import app_of


@pytest.fixture
def container() -> Container:
    """An application of one's own on adapters in memory, with a champion."""
    return with_champion(in_memory())


@pytest.fixture
def client(container: Container) -> testing.TestClient:
    """A client of that application, in process."""
    return testing.TestClient(app_of(container))
