"""The record as people use it: the command and the service, on SQLite and on MariaDB."""

import base64
import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from falcon import testing
from support import STONE, diamond, newest, serving

from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.rows import to_row
from diamond_app.container import build_container
from diamond_app.settings import ApiKeys, Settings
from diamond_app.wsgi import app_of
from diamond_core import ExchangeFilter
from diamond_core.testing import an_exchange

ADMIN = {"Authorization": "Bearer admin-secret"}
ODD = {
    "request_id": "odd-one",
    "path": "/v1/\x1b[31m[red]💎",
    "status": 404,
    "request_body": b"\xff\x00",
    "response_body": '{"a": "💎\\n"}\r\n'.encode(),
}


@pytest.fixture(params=["sqlite", "mysql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'requests.db'}"
    return request.getfixturevalue("mysql_url")


@pytest.fixture
def wired(url, tmp_path):
    """The application, without a model."""
    settings = Settings(
        home=tmp_path / "home",
        models_url=(tmp_path / "home").as_uri(),
        data_url=(tmp_path / "home" / "data").as_uri(),
        database_url=url,
        api_keys=ApiKeys.parse("admin:admin-secret,web:web-secret"),
    )
    container = build_container(settings)
    yield container
    container.request_log().close()


@pytest.fixture
def database_log(url):
    """The log in the database, with nothing in between."""
    log = PeeweeRequestLog.from_url(url)
    yield log
    log.close()


@pytest.fixture
def client(wired):
    return testing.TestClient(app_of(wired))


def now(**ago):
    return datetime.now(UTC).replace(microsecond=5) - timedelta(**ago)


def test_a_request_that_was_answered_is_in_the_next_list(client):
    for number in range(3):
        client.simulate_get(f"/v1/nothing{number}", headers={"X-Request-ID": f"r{number}"} | ADMIN)
        listed = client.simulate_get("/v1/requests", headers=ADMIN).json["requests"]
        assert (listed[0]["request_id"], listed[0]["status"]) == (f"r{number}", 404)
        assert "response_body" not in listed[0]


def test_the_list_is_filtered_and_paged(client, database_log):
    database_log.append_all(
        [
            an_exchange(
                request_id=f"r{number}", status=(200, 404, 503)[number % 3], path="/v1/similar"
            )
            for number in range(30)
        ]
    )
    found, following = [], {}
    while True:
        answer = client.simulate_get(
            "/v1/requests",
            headers=ADMIN,
            params={"status": "4xx", "path": "/v1/sim", "limit": "3"} | following,
        ).json
        found += [each["request_id"] for each in answer["requests"]]
        if answer["next"] is None:
            break
        following = {"before": answer["next"]}
    assert found == [f"r{number}" for number in range(28, 0, -3)]


def test_the_list_gives_bodies_where_asked_in_pages_that_fit(client, database_log):
    large = [
        an_exchange(request_id=f"r{number}", response_body=b"x" * 3_000_000) for number in range(4)
    ]
    database_log.append_all(large)
    params = {"bodies": "true", "path": large[0].path}
    first = client.simulate_get("/v1/requests", headers=ADMIN, params=params).json
    assert [each["request_id"] for each in first["requests"]] == ["r3", "r2", "r1"]
    assert first["requests"][0]["response_body"] == "x" * 3_000_000
    rest = client.simulate_get(
        "/v1/requests", headers=ADMIN, params=params | {"before": first["next"]}
    ).json
    assert [each["request_id"] for each in rest["requests"]] == ["r0"]
    assert rest["next"] is None


def test_every_wrong_parameter_is_named(client):
    answer = client.simulate_get(
        "/v1/requests",
        headers=ADMIN,
        query_string="since=never&status=9&limit=0&bodies=some&color=red&path=a&path=b&slower_than=x",
    )
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json["errors"]} == {
        *("/since", "/status", "/limit", "/bodies", "/color", "/path", "/slower_than"),
    }


def test_one_request_is_shown_with_its_bodies(client, database_log):
    database_log.append_all(
        [
            an_exchange(request_id="twice"),
            an_exchange(**ODD),
            an_exchange(request_id="twice", status=500),
        ]
    )
    answer = client.simulate_get("/v1/requests/odd-one", headers=ADMIN).json
    assert answer["path"] == ODD["path"]
    assert (answer["request_encoding"], answer["request_body"]) == ("base64", "/wA=")
    assert answer["response_body"].encode() == ODD["response_body"]
    twice = client.simulate_get("/v1/requests/twice", headers=ADMIN).json
    assert (twice["status"], [each["status"] for each in twice["others"]]) == (500, [200])
    alone = client.simulate_get(f"/v1/requests/{twice['others'][0]['id']}", headers=ADMIN).json
    assert (alone["status"], alone["request_id"], alone["others"]) == (200, "twice", [])
    gone = client.simulate_get("/v1/requests/gone", headers=ADMIN)
    assert (gone.status_code, gone.json["detail"]) == (404, "there is no exchange 'gone'")


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/requests/r1"])
def test_the_record_is_for_administrators(client, path):
    assert client.simulate_get(path).status_code == 401
    assert client.simulate_get(path, headers={"X-API-Key": "web-secret"}).status_code == 403


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/requests/r1"])
def test_without_keys_the_record_says_how_to_set_one(tmp_path, path):
    database_url = f"sqlite:///{tmp_path / 'requests.db'}"
    app = app_of(
        build_container(
            Settings(
                home=tmp_path,
                models_url=tmp_path.as_uri(),
                data_url=tmp_path.as_uri(),
                database_url=database_url,
            )
        )
    )
    answer = testing.TestClient(app).simulate_get(path)
    assert answer.status_code == 403
    assert "DIAMOND_API_KEYS=admin:" in answer.json["detail"]


def test_a_record_that_is_away_is_told_without_its_password(tmp_path):
    settings = Settings(
        home=tmp_path,
        models_url=tmp_path.as_uri(),
        data_url=tmp_path.as_uri(),
        database_url="mysql://me:hidden-1@127.0.0.1:1/name",
        api_keys=ApiKeys.parse("admin:admin-secret"),
    )
    client = testing.TestClient(app_of(build_container(settings)))
    answer = client.simulate_get("/v1/requests", headers=ADMIN)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "database" in answer.json["detail"]
    assert "hidden" not in answer.text


def test_no_secret_of_a_request_is_kept(client, wired):
    client.simulate_get(
        "/v1/similar",
        query_string="token=hidden-1&carat=1&api%5Fkey=hidden-2",
        headers={
            "Authorization": "Bearer hidden-3",
            "X-API-Key": "web-secret",
            "Cookie": "session=hidden-4",
            "Referer": "https://me:hidden-5@shop/?key=hidden-6",
        },
    )
    (kept,) = newest(wired.request_log(), 1)
    assert kept.query == "token=[redacted]&carat=1&api%5Fkey=[redacted]"
    assert kept.key_name == "web"
    assert "hidden" not in repr(kept)
    assert "web-secret" not in repr(kept)


def requests(wired, *arguments, check=True):
    settings = wired.settings()
    return diamond(
        settings.home,
        "requests",
        *arguments,
        check=check,
        DIAMOND_DATABASE_URL=settings.database_url,
    )


def test_the_command_lists_and_shows(wired, database_log):
    wired.settings().home.mkdir()
    database_log.append_all(
        [
            an_exchange(request_id="slow", occurred_at=now(hours=1), duration_ms=1500.0),
            an_exchange(**ODD, occurred_at=now(hours=3)),
        ]
    )
    listed = requests(wired, "list").stdout
    assert re.search(r"odd-one *\n.*slow", listed)
    assert "\x1b" not in listed
    assert "[31m[red]💎" in listed
    as_json = json.loads(requests(wired, "list", "--since", "2h", "--json").stdout)
    assert [each["request_id"] for each in as_json] == ["slow"]
    as_json = json.loads(requests(wired, "list", "--slower-than", "1s", "--json").stdout)
    assert [each["request_id"] for each in as_json] == ["slow"]
    assert "💎" in requests(wired, "show", "odd-one").stdout
    shown = json.loads(requests(wired, "show", "odd-one", "--json").stdout)
    assert base64.b64decode(shown["request_body"]) == ODD["request_body"]
    gone = requests(wired, "show", "gone", check=False)
    assert (gone.returncode, gone.stderr) == (1, "diamond: there is no exchange 'gone'\n")
    wrong = requests(wired, "list", "--status", "nine", check=False)
    assert wrong.returncode == 2
    assert "--status" in wrong.stderr


def test_the_command_exports_everything_unchanged(wired, database_log, tmp_path):
    wired.settings().home.mkdir()
    exchanges = [
        an_exchange(request_id=f"r{number}", occurred_at=now(days=1)) for number in range(1200)
    ]
    exchanges += [an_exchange(**ODD), an_exchange(response_body=b"x" * 5_000_000)]
    database_log.append_all(exchanges)
    output = tmp_path / "all.jsonl"
    done = requests(wired, "export", "--output", str(output), "--json")
    assert json.loads(done.stdout) == {"exported": 1202, "output": str(output)}
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == [each.id for each in reversed(exchanges)]
    assert {
        "id",
        "request_id",
        "occurred_at",
        "method",
        "path",
        "query",
        "status",
        "duration_ms",
    } <= set(lines[0])
    assert {"request_body", "response_body", "model_id"} <= set(lines[0])
    for line, exchange in zip(lines, reversed(exchanges), strict=True):
        assert datetime.fromisoformat(line["occurred_at"]) == exchange.occurred_at
        for name in ("request", "response"):
            text = line[f"{name}_body"]
            plain = line[f"{name}_encoding"] == "utf-8"
            body = text.encode() if plain else base64.b64decode(text)
            assert body == getattr(exchange, f"{name}_body")
    table = requests(wired, "export", "--format", "csv", "--status", "404").stdout
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["path"], row["request_body"]) == (ODD["path"], "/wA=")
    assert [path.name for path in tmp_path.glob(".all*")] == []


def test_an_export_does_not_make_a_spreadsheet_calculate(wired, database_log):
    body = "=HYPERLINK(1)"
    exchange = an_exchange(request_body=body.encode(), query="-1+1", headers={"User-Agent": "@x"})
    database_log.append(exchange)
    for flags, sign in (((), "'"), (("--keep-formulas",), "")):
        arguments = ("export", "--format", "csv", "--id", exchange.id, *flags)
        (row,) = csv.DictReader(io.StringIO(requests(wired, *arguments).stdout, newline=""))
        assert (row["request_body"], row["query"]) == (f"{sign}{body}", f"{sign}-1+1")
        assert float(row["duration_ms"]) == exchange.duration_ms
    (line,) = requests(wired, "export", "--id", exchange.id).stdout.splitlines()
    assert json.loads(line)["request_body"] == body


def test_an_export_that_fails_leaves_no_file(wired, tmp_path):
    wired.settings().home.mkdir()
    output = tmp_path / "missing" / "all.jsonl"
    done = requests(wired, "export", "--output", str(output), check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"diamond: {output} can't be written")


def test_the_command_prunes_what_is_old(wired, database_log):
    wired.settings().home.mkdir()
    database_log.append_all([an_exchange(occurred_at=now(days=number)) for number in range(500)])
    letters = wired.dead_letters()
    wired.settings().home.joinpath("spool").mkdir()
    old, new = an_exchange(occurred_at=now(days=91)), an_exchange(occurred_at=now(days=89))
    damaged = ("damaged", *to_row(old)[1:6], "no JSON", *to_row(old)[7:])
    for row in (to_row(old), to_row(new), damaged):  # the damaged one is set aside now
        letters.add(row, "too long")
    told = json.loads(requests(wired, "prune", "--older-than", "90d", "--dry-run", "--json").stdout)
    assert (told["pruned"], told["dead_letters"], told["dry_run"]) == (410, 1, True)
    assert (database_log.count(ExchangeFilter()), len(letters.ids())) == (500, 3)
    pruned = requests(wired, "prune", "--older-than", "90d").stdout
    assert "Deleted 410 exchanges and 1 dead letters" in pruned
    assert database_log.count(ExchangeFilter()) == 90
    assert set(letters.ids()) == {new.id, "damaged"}
    assert requests(wired, "prune", "--older-than", "90", check=False).returncode == 2


def test_the_command_asks_before_it_prunes_by_a_clock_that_is_far_ahead(wired, database_log):
    wired.settings().home.mkdir()
    database_log.append(an_exchange(occurred_at=now(days=100)))
    asked = requests(wired, "prune", "--older-than", "90d", check=False)
    assert asked.returncode == 3
    assert "Is the clock right?" in asked.stderr
    assert database_log.count(ExchangeFilter()) == 1
    told = requests(wired, "prune", "--older-than", "90d", "--yes")
    assert "Deleted 1 exchanges" in told.stdout


def test_dead_letters_are_shown_delivered_and_deleted(wired, database_log):
    letters = wired.dead_letters()
    wired.settings().home.joinpath("spool").mkdir(parents=True)
    assert requests(wired, "dead-letters", "list").stdout == "There are no dead letters.\n"
    first, second, third = an_exchange(**ODD), an_exchange(), an_exchange()
    for each in (first, second, third):
        letters.add(to_row(each), "too long")
    listed = json.loads(requests(wired, "dead-letters", "list", "--json").stdout)
    assert [each["id"] for each in listed] == [first.id, second.id, third.id]
    assert {each["reason"] for each in listed} == {"too long"}
    assert listed[0]["request_body"] == base64.b64encode(ODD["request_body"]).decode()
    shown = requests(wired, "dead-letters", "list").stdout
    assert "too long" in shown
    assert "\x1b" not in shown
    done = requests(wired, "dead-letters", "retry", first.id, "--json")
    assert json.loads(done.stdout) == {"delivered": 1, "refused": {}}
    assert newest(database_log) == [first]
    wrong = requests(wired, "dead-letters", "prune", first.id, check=False)
    assert wrong.returncode == 2
    assert "is not a dead letter" in wrong.stderr
    assert requests(wired, "dead-letters", "prune", check=False).returncode == 2
    told = requests(wired, "dead-letters", "prune", second.id)
    assert told.stdout == "Deleted 1 dead letters.\n"
    assert requests(wired, "dead-letters", "retry").stdout.startswith("Delivered 1 of 1")
    assert newest(database_log) == [third, first]
    assert letters.ids() == []


def test_serving_on_loopback_without_keys_shows_a_key_for_this_run(trained_home):
    with serving(trained_home) as service:
        shown = service.log.read_text()
        (key,) = re.findall(r"for this run only: (\S+)\n", shown)
        assert service.post("/v1/predictions", STONE).status == 200
        without = service.get("/v1/requests")
        assert without.status == 403
        assert "DIAMOND_API_KEYS=admin:" in without.json["detail"]
        assert service.get("/v1/requests", {"X-API-Key": f"{key}x"}).status == 401
        answer = service.get("/v1/requests", {"Authorization": f"Bearer {key}"})
        assert [each["status"] for each in answer.json["requests"]] == [401, 403, 200]
    assert service.log.read_text().count(key) == shown.count(key) == 2
    kept = b"".join(path.read_bytes() for path in trained_home.rglob("*") if path.is_file())
    assert key.encode() not in kept
