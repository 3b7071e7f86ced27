"""A spool and the destination that it ships to, which can be away or refuse."""

from __future__ import annotations

import pytest
from spools import FickleDestination

from diamond_adapters.requests import spooled_request_log
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog


@pytest.fixture
def destination(tmp_path):
    return FickleDestination.from_url(f"sqlite:///{tmp_path / 'requests.db'}")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture(autouse=True)
def no_rest(monkeypatch):
    """A reader that was turned away may come again at once, however slow the machine is."""
    monkeypatch.setattr(spooled_request_log, "_REST_SECONDS", 0.0)


@pytest.fixture
def spooled(destination, folder):
    """Make a log as each process of a home has one; they share the destination and the folder."""
    made = []

    def make(**options):
        made.append(SpooledRequestLog(destination, folder, **options))
        return made[-1]

    yield make
    destination.away = False
    for log in made:
        log.close()
