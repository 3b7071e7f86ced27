"""What the tests of the assembled application share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import chromium
from falcon import testing
from playwright.sync_api import Browser
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, shared by a module's tests."""
    with chromium() as one:
        yield one
