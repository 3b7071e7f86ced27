"""The spool has no room: prices are served, the losses are counted exactly, and it heals."""

from __future__ import annotations

import pytest
from load import ALL_WELL, Load, compare, recorded, shipped
from support import serving, small_disk, spool_health, until


@pytest.fixture
def tiny_disk(trained_home):
    """A file system of 1.5 MB where the spool goes."""
    with small_disk(trained_home / "spool", "1500k"):
        yield


def loses_and_heals(home, server, url, requests, **settings):
    impatient = f"{url}?read_timeout=1&connect_timeout=1"
    server.freeze()
    with serving(home, workers=2, DIAMOND_DATABASE_URL=impatient, **settings) as service:
        try:
            noted = Load(service, requests, name="full").finish()
            assert len(noted) == requests, "every request was answered"
            lost = spool_health(home).lost
            assert 0 < lost < requests
            until(
                lambda: "could not be recorded" in service.get("/readyz").body.decode(),
                "it is told",
            )
        finally:
            server.thaw()
        until(lambda: spool_health(home).pending == 0, "the rest is in the database")
        kept = {row.request_id for row in recorded(url)}
        missing = [id for id in noted if id not in kept]
        assert len(missing) == lost == spool_health(home).lost
        after = Load(service, 200, name="after").finish()
        rows = shipped(after, url)
    assert spool_health(home).lost == lost, "nothing more is lost once there is room"
    still_there = {id: note for id, note in noted.items() if id in kept}
    assert compare(still_there | after, rows) == ALL_WELL


def test_a_full_disk_loses_only_what_does_not_fit(trained_home, tiny_disk, server, url):
    loses_and_heals(trained_home, server, url, 1200)


def test_a_spool_at_its_limit_loses_only_what_does_not_fit(trained_home, server, url):
    # So many that one of both workers is beyond the limit by itself: what the other's files take,
    # it learns only once a second, and a quick machine is done before that.
    loses_and_heals(trained_home, server, url, 4000, DIAMOND_SPOOL_LIMIT="1MiB")
