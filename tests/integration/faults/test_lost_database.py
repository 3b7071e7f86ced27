"""The database is killed, away, or frozen: requests go on, and the record is complete afterwards."""

from __future__ import annotations

import time

from load import ALL_WELL, Load, compare, kill_whole, shipped
from support import serving, until

AWAY_SECONDS = 5.0


def readiness(service):
    answer = service.get("/readyz")
    assert answer.status == 200, "without its database the service is ready all the same"
    return answer.json


def says_degraded(service):
    ready = readiness(service)
    return ready["status"] == "degraded" and "database" in ready["problems"][0]


def test_nothing_is_lost_when_the_database_is_killed(trained_home, server, url):
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        load = Load(service, 2000)
        until(lambda: load.answered >= 400, "400 answers")
        server.kill()
        killed_at = time.monotonic()
        until(lambda: says_degraded(service), "readiness tells of the database")
        until(lambda: time.monotonic() - killed_at > AWAY_SECONDS, "the database has been away")
        server.start()
        noted = load.finish()
        rows = shipped(noted, url)
        until(lambda: readiness(service)["status"] == "ok", "readiness is well again")
    assert len(noted) == 2000, "every request was answered"
    assert compare(noted, rows) == ALL_WELL


def test_the_database_may_come_after_the_service(trained_home, server, url):
    server.stop()
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        noted = Load(service, 300).finish()
        until(lambda: says_degraded(service), "readiness tells of the database")
        server.start()
        rows = shipped(noted, url)
    assert len(noted) == 300
    assert compare(noted, rows) == ALL_WELL


def test_no_request_waits_for_a_database_that_hangs(trained_home, server, url):
    impatient = f"{url}?read_timeout=1&connect_timeout=1"
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=impatient) as service:
        before = Load(service, 100, name="before").finish()
        shipped(before, url)
        server.freeze()
        try:
            during = Load(service, 1000, name="during").finish()
            until(lambda: says_degraded(service), "readiness tells of the database")
        finally:
            server.thaw()
        noted = before | during
        rows = shipped(noted, url)
    assert len(during) == 1000, "all were answered while the database hung"
    assert compare(noted, rows) == ALL_WELL


def test_another_number_of_workers_takes_over_a_full_spool(trained_home, server, url):
    server.stop()
    try:
        with serving(trained_home, workers=3, DIAMOND_DATABASE_URL=url) as service:
            noted = Load(service, 600).finish()
            kill_whole(service)
        assert list((trained_home / "spool").glob("*.db*")), "the exchanges wait"
    finally:
        server.start()
    with serving(trained_home, workers=1, DIAMOND_DATABASE_URL=url):
        rows = shipped(noted, url)
    assert compare(noted, rows) == ALL_WELL
    assert list((trained_home / "spool").glob("*.db*")) == []
