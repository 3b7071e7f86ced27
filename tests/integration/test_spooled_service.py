"""The record as people see it while exchanges still wait in the spool."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from load import kill_whole, recorded
from support import (
    STONE,
    Service,
    diamond,
    environment,
    free_port,
    serving,
    shipper_runs,
    until,
)

from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.rows import to_row
from diamond_adapters.requests.shipper_state import ShipperState
from diamond_core.testing import an_exchange

SECRET = "a-long-secret"
ADMIN = {"DIAMOND_API_KEYS": f"admin:{SECRET}"}
KEY = {"X-API-Key": SECRET}


def nowhere():
    """The URL of a database that does not answer."""
    return f"mysql://diamond:secret@127.0.0.1:{free_port()}/diamond"


def test_who_was_answered_is_in_the_next_look_whichever_worker_answers_it(trained_home, mysql_url):
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=mysql_url, **ADMIN) as service:
        for number in range(40):
            id = f"seen-{number}"
            assert service.post("/v1/predictions", STONE, KEY | {"X-Request-ID": id}).status == 200
            found = service.get(f"/v1/requests?request_id={id}", KEY).json["requests"]
            assert [each["request_id"] for each in found] == [id]


def test_a_record_whose_database_is_away_is_not_shown_in_part(trained_home):
    with serving(trained_home, DIAMOND_DATABASE_URL=nowhere(), **ADMIN) as service:
        assert service.post("/v1/predictions", STONE, KEY).status == 200
        answer = service.get("/v1/requests", KEY)
        assert (answer.status, answer.headers["retry-after"]) == (503, "10")


def test_the_commands_see_what_a_killed_service_left(trained_home):
    folder = trained_home / "database"
    folder.write_text("no folder yet")
    away = {"DIAMOND_DATABASE_URL": f"sqlite:///{folder / 'requests.db'}"}
    with serving(trained_home, workers=2, **away) as service:
        for number in range(5):
            service.post("/v1/predictions", STONE, {"X-Request-ID": f"left-{number}"})
        kill_whole(service)
    assert diamond(trained_home, "doctor", check=False, **away).returncode == 1
    folder.unlink()
    listed = json.loads(diamond(trained_home, "requests", "list", "--json", **away).stdout)
    assert {each["request_id"] for each in listed} == {f"left-{number}" for number in range(5)}
    assert list((trained_home / "spool").glob("*.db")) == []
    diamond(trained_home, "doctor", **away)


def test_a_command_with_another_database_moves_nothing_into_it(trained_home):
    away = {"DIAMOND_DATABASE_URL": nowhere()}
    with serving(trained_home, workers=1, **away) as service:
        service.post("/v1/predictions", STONE, {"X-Request-ID": "waits"})
        until(lambda: ShipperState.read(trained_home / "spool").settings, "a shipper has begun")
        kill_whole(service)
    told = diamond(trained_home, "doctor", check=False, **away)
    assert told.returncode == 1
    assert "secret" not in told.stdout
    listed = diamond(trained_home, "requests", "list", "--json")
    assert json.loads(listed.stdout) == []
    assert "go to another database" in listed.stderr
    assert len(list((trained_home / "spool").glob("*.db"))) == 1
    with serving(trained_home, workers=1) as service:  # its settings say where exchanges go
        url = f"sqlite:///{trained_home / 'requests.db'}"
        until(lambda: [each.request_id for each in recorded(url)] == ["waits"], "it is moved")
        until(lambda: service.get("/readyz").json["status"] == "ok", "the problem is forgotten")


def test_a_reload_with_another_database_moves_the_shipper_to_it(trained_home):
    first, second = (f"sqlite:///{trained_home / name}.db" for name in ("first", "second"))
    dotenv = trained_home.parent / ".env"
    dotenv.write_text(f"DIAMOND_DATABASE_URL={first}\n")
    with serving(trained_home, workers=2) as service:
        assert service.post("/v1/predictions", STONE, {"X-Request-ID": "before"}).status == 200
        until(lambda: len(recorded(first)) == 1, "it is in the first database")
        dotenv.write_text(f"DIAMOND_DATABASE_URL={second}\nDIAMOND_KEEP_REQUESTS=90d\n")
        service.process.send_signal(signal.SIGHUP)

        def second_gets_them() -> bool:
            assert service.post("/v1/predictions", STONE, {"X-Request-ID": "after"}).status == 200
            return bool(recorded(second))

        until(second_gets_them, "exchanges go to the second database")
        known = len(recorded(first))
        until(lambda: shipper_runs(trained_home), "a shipper runs")
        assert service.post("/v1/predictions", STONE, {"X-Request-ID": "last"}).status == 200
        until(
            lambda: "last" in {each.request_id for each in recorded(second)},
            "the last is in the second",
        )
        assert len(recorded(first)) == known


def test_gunicorn_without_our_configuration_records_and_ships(trained_home):
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", "--workers=2"]
    with subprocess.Popen(
        [*command, "diamond_app.wsgi:application()"],
        env=environment(trained_home),
        cwd=trained_home.parent,
        stderr=subprocess.DEVNULL,
    ) as process:
        service = Service(port, process, trained_home)
        try:
            until(service.answers, "the service answers")
            until(lambda: shipper_runs(trained_home), "a shipper runs")
            for _ in range(20):
                assert service.post("/v1/predictions", STONE).status == 200
            url = f"sqlite:///{trained_home / 'requests.db'}"
            until(lambda: len(recorded(url)) == 20, "all are in the database")
        finally:
            process.terminate()
    until(lambda: not shipper_runs(trained_home), "the shipper ends")
    assert list((trained_home / "spool").glob("*.db*")) == []


def test_the_doctor_names_dead_letters_and_damaged_files(trained_home):
    damaged = trained_home / "spool" / "damaged"
    damaged.mkdir(parents=True)
    (damaged / "0123.db").write_bytes(b"")
    DeadLetters(trained_home / "spool").add(to_row(an_exchange()), "too long")
    told = diamond(trained_home, "doctor", check=False)
    assert told.returncode == 1
    assert "1 exchange is a dead letter" in told.stdout
    assert "1 file of the spool can't be read" in told.stdout
