"""The database behind the record: from its URL, on SQLite and on MariaDB."""

from __future__ import annotations

import shutil
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mariadb import run_sql
from support import newest

from diamond_adapters.database import open_database
from diamond_adapters.requests import migrations, peewee_request_log
from diamond_adapters.requests.migrations import migrate
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_core.errors import InvalidUrl, Unavailable
from diamond_core.requests.exchange import Exchange, new_exchange_id
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.testing import an_exchange

SECRET = "s3cret/pass word"
SCRIPTS = Path(migrations.__file__).parent


@pytest.fixture(params=["sqlite", "mysql"])
def url(request, tmp_path):
    """An empty database, on SQLite and on MySQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'requests.db'}"
    return request.getfixturevalue("mysql_url")


@pytest.fixture
def database(url):
    opened = open_database(url)
    yield opened
    opened.close()


def rows(database, statement):
    database.connect(reuse_if_open=True)
    return [tuple(row) for row in database.execute_sql(statement)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "requests.db",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/file.db",
        f"postgresql://me:{quote(SECRET, safe='')}@localhost/name",
        f"mysql://me:{quote(SECRET, safe='')}@localhost",
        f"mysql://me:{quote(SECRET, safe='')}@localhost/",
        f"mysql://me:{quote(SECRET, safe='')}@/name",
        f"mysql://me:{quote(SECRET, safe='')}@localhost:port/name",
        f"mysql://me:{SECRET}@localhost:99999/name",
        f"mysql://me:{quote(SECRET, safe='')}@localhost/name?color=red",
        f"mysql://me:{quote(SECRET, safe='')}@localhost/name?ssl_ca=/no/such/file",
        f"mysql://me:{quote(SECRET, safe='')}@localhost/name?ssl_verify_cert=maybe",
        f"mysql://me:{quote(SECRET, safe='')}@localhost/name?read_timeout=0",
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(url):
    with pytest.raises(InvalidUrl) as caught:
        open_database(url)
    told = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in told


def test_opening_touches_neither_disk_nor_network(tmp_path):
    open_database(f"sqlite:///{tmp_path / 'folder' / 'requests.db'}")
    open_database("mysql://nobody@127.0.0.1:1/nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_told_without_its_password():
    url = f"mysql://me:{quote(SECRET, safe='')}@127.0.0.1:1/name"
    log = PeeweeRequestLog(open_database(url))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1") as caught:
        newest(log, 1)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in repr(log) + repr(vars(log))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    log = PeeweeRequestLog(open_database(f"sqlite:///{tmp_path / 'file' / 'requests.db'}"))
    with pytest.raises(Unavailable, match="file"):
        log.append(an_exchange())


def test_the_wrong_password_is_told_without_it(mysql_url):
    parts = urlsplit(mysql_url)
    netloc = f"{parts.username}:{quote(SECRET, safe='')}@{parts.hostname}:{parts.port}"
    log = PeeweeRequestLog(open_database(parts._replace(netloc=netloc).geturl()))
    with pytest.raises(Unavailable, match="Access denied") as caught:
        newest(log, 1)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_password_may_hold_any_letters(mysql_server_url, mysql_url):
    password = "é💎@:/%+ ?#"
    parts = urlsplit(mysql_url)
    run_sql(mysql_url, "CREATE USER 'odd user'@'%%' IDENTIFIED BY %s", (password,))
    try:
        run_sql(mysql_url, f"GRANT ALL ON {parts.path[1:]}.* TO 'odd user'@'%%'")
        netloc = f"odd%20user:{quote(password, safe='')}@{parts.hostname}:{parts.port or 3306}"
        database = open_database(parts._replace(netloc=netloc).geturl())
        assert list(newest(PeeweeRequestLog(database), 1)) == []
        database.close()
    finally:
        run_sql(mysql_server_url, "DROP USER 'odd user'@'%%'")


def test_a_connection_that_the_server_dropped_is_opened_again(mysql_url):
    database = open_database(mysql_url)
    log = PeeweeRequestLog(database)
    exchange = an_exchange()
    log.append(exchange)
    for kill in ("KILL", "KILL CONNECTION"):
        running = run_sql(
            mysql_url,
            "SELECT id FROM information_schema.processlist"
            " WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        assert len(running) == 1
        run_sql(mysql_url, f"{kill} {running[0][0]}")
        assert list(newest(log, 2)) == [exchange]
    database.close()


def test_many_hosts_that_start_at_once_make_the_tables_once(url):
    hosts = 8

    def start(number):
        database = open_database(url)
        PeeweeRequestLog(database).append(an_exchange(request_id=f"host{number}"))
        database.close()

    with ThreadPoolExecutor(hosts) as pool:
        list(pool.map(start, range(hosts)))
    database = open_database(url)
    names = rows(database, "SELECT name FROM schema_migrations")
    assert sorted(names) == [(path.stem,) for path in sorted(SCRIPTS.glob("[0-9]*.py"))]
    assert len(newest(PeeweeRequestLog(database), 100)) == hosts
    database.close()


@pytest.fixture
def scripts(tmp_path):
    """Return a folder with the migrations and more scripts, by name."""

    def made(**more):
        folder = tmp_path / "scripts"
        shutil.copytree(SCRIPTS, folder)
        for name, body in more.items():
            script = f"def up(migrator, db):\n    db.execute_sql({body!r})\n"
            (folder / f"{name.removeprefix('_')}.py").write_text(script)
        return folder

    return made


def test_tables_of_an_earlier_version_are_upgraded_and_keep_their_rows(database, scripts):
    log = PeeweeRequestLog(database)
    exchange = an_exchange()
    log.append(exchange)
    with database.connection_context():
        migrate(database, scripts(_0002_more="ALTER TABLE requests ADD COLUMN more INTEGER"))
        migrate(database)  # a host of the version before
    log.append(later := an_exchange())
    assert newest(log, 10) == [later, exchange]
    assert rows(database, "SELECT more FROM requests") == [(None,), (None,)]


def test_a_migration_that_was_cut_off_is_run_again(database, scripts):
    with database.connection_context(), pytest.raises(peewee.PeeweeException):
        migrate(database, scripts(_0003_bad="NO SQL"))
    with database.connection_context():
        migrate(database)
    assert list(newest(PeeweeRequestLog(database), 1)) == []


def test_tables_that_were_dropped_are_made_again(database):
    log = PeeweeRequestLog(database)
    log.append(an_exchange())
    for table in ("requests", "request_parts", "schema_migrations"):
        database.execute_sql(f"DROP TABLE {table}")
    with pytest.raises(Unavailable):
        log.append(an_exchange())
    exchange = an_exchange()
    log.append(exchange)
    assert list(newest(log, 2)) == [exchange]


def test_text_stays_text_for_people_who_ask_in_sql(database):
    body = '{"carat": 1.1, "note": "💎"}'.encode()
    PeeweeRequestLog(database).append(an_exchange(request_body=body, response_body=b"\xff"))
    found = rows(
        database,
        "SELECT JSON_EXTRACT(request_body, '$.carat'), request_encoding, response_body,"
        " response_encoding FROM requests WHERE request_body LIKE '%%💎%%'"
        if isinstance(database, peewee.MySQLDatabase)
        else "SELECT JSON_EXTRACT(request_body, '$.carat'), request_encoding, response_body,"
        " response_encoding FROM requests WHERE request_body LIKE '%💎%'",
    )
    assert [(str(found[0][0]), *found[0][1:])] == [("1.1", "utf-8", "/w==", "base64")]


def test_a_body_larger_than_the_server_takes_at_once_is_kept_whole(database):
    log = PeeweeRequestLog(database)
    # each quote takes two bytes in a statement: 34 MB in all, where MariaDB takes 16
    exchange = an_exchange(request_body=b'"' * 2_000_000, response_body=b"'" * 15_000_000)
    small = an_exchange(request_id="small")
    log.append_all([exchange, small])
    log.append(exchange)
    assert list(newest(log, 10)) == [small, exchange]


def test_a_large_body_that_is_kept_already_is_not_cut_again(database):
    log = PeeweeRequestLog(database)
    exchange = an_exchange(response_body=b"x" * 20_000)
    log.append(exchange)
    for packet in (80_000, 30_000, 160_000):
        log._session.packet = packet
        log.append(exchange)
        assert newest(log, 1) == [exchange]


def test_names_that_are_no_valid_text_are_kept_with_escapes(database):
    log = PeeweeRequestLog(database)
    log.append(an_exchange(path="/v1/\ud800é", headers={"User-Agent": "\udfff"}))
    (found,) = newest(log, 1)
    assert found.path == "/v1/\\ud800é"
    assert found.headers == {"User-Agent": "\udfff"}


text = st.text(st.characters(exclude_categories=["Cs"]))


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    exchange=st.builds(
        Exchange,
        id=st.builds(new_exchange_id),
        request_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", fullmatch=True),
        occurred_at=st.datetimes(
            min_value=an_exchange().occurred_at.replace(year=1970, tzinfo=None),
            timezones=st.just(an_exchange().occurred_at.tzinfo),
        ),
        method=text.filter(lambda each: len(each) < 200),
        path=text,
        query=text,
        headers=st.dictionaries(st.text(), st.text(), max_size=3),
        client=text.filter(lambda each: len(each) < 200),
        status=st.integers(100, 599),
        duration_ms=st.floats(0, 1e9),
        request_body=st.binary(),
        response_body=st.binary() | text.map(str.encode),
    )
)
def test_whatever_comes_in_comes_out(database, exchange):
    log = PeeweeRequestLog(database)
    log.append(exchange)
    assert list(newest(log, 1)) == [exchange]


@pytest.mark.parametrize("given", [{"path": "/v1/predictions"}, {"status": "2xx"}])
def test_a_page_of_what_most_exchanges_match_sorts_no_others(tmp_path, monkeypatch, given):
    monkeypatch.setattr(peewee_request_log, "_MANY", 10)
    path = tmp_path / "requests.db"
    log = PeeweeRequestLog.from_url(f"sqlite:///{path}")
    log.append_all([an_exchange(path="/v1/predictions", status=200) for _ in range(10)])
    ran = []
    log._reader.connection().set_trace_callback(ran.append)

    found = log.find(ExchangeFilter(**given), limit=3)

    assert [each.id for each in found] == sorted((each.id for each in found), reverse=True)
    assert len(found) == 3
    page = next(each for each in ran if "ORDER BY" in each and "request_body" in each)
    plan = log._reader.execute_sql(f"EXPLAIN QUERY PLAN {page}").fetchall()
    assert not any("TEMP B-TREE" in row[-1] for row in plan)
    ran.clear()
    second = log.find(ExchangeFilter(**given), limit=3, before=found[-1].id)
    assert len(second) == 3
    assert len([each for each in ran if each.startswith("SELECT")]) == 2, "it is not counted again"
    log.close()


def test_a_page_of_what_few_exchanges_match_is_found_by_their_index(tmp_path):
    log = PeeweeRequestLog.from_url(f"sqlite:///{tmp_path / 'requests.db'}")
    log.append_all([an_exchange(path="/v1/models"), an_exchange(path="/v1/predictions")])
    ran = []
    log._reader.connection().set_trace_callback(ran.append)

    (found,) = log.find(ExchangeFilter(path="/v1/models"), limit=3)

    assert found.path == "/v1/models"
    page = next(each for each in ran if "ORDER BY" in each and "request_body" in each)
    plan = log._reader.execute_sql(f"EXPLAIN QUERY PLAN {page}").fetchall()
    assert any("requests_path" in row[-1] for row in plan)
    log.close()
