"""The database fails in every way that was met: nothing is lost, and no good exchange set aside."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from urllib.parse import urlsplit

import pymysql
import pytest
from load import ALL_WELL, Load, compare, shipped
from mariadb import run_sql
from support import STONE, Service, serving, spool_health, until

PASSWORD = "of-an-ordinary-user"
FAULT_SECONDS = 2.0
TABLE_FULL = "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'"


class Shop:
    """A database whose user may do nothing else, and the statements of its administrator."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self.user = f"shop_{secrets.token_hex(4)}"
        parts = urlsplit(admin_url)
        place = f"127.0.0.1:{parts.port}{parts.path}"
        self.url = f"mysql://{self.user}:{PASSWORD}@{place}?read_timeout=1&connect_timeout=1"
        self.account = f"'{self.user}'@'127.0.0.1'"
        self.sql(f"CREATE USER {self.account} IDENTIFIED BY '{PASSWORD}'")
        self.sql(f"GRANT ALL ON {parts.path[1:]}.* TO {self.account}")

    def sql(self, statement: str) -> list:
        return run_sql(self.admin_url, statement)

    def connections(self) -> int:
        """How many connections were made to the server since its start."""
        return int(self.sql("SHOW GLOBAL STATUS LIKE 'Connections'")[0][1])

    def disconnect(self) -> None:
        self.sql(f"KILL USER {self.account}")


@pytest.fixture
def shop(url) -> Iterator[Shop]:
    made = Shop(url)
    yield made
    made.sql(f"DROP USER {made.account}")


@contextmanager
def read_only(shop: Shop) -> Iterator[None]:
    shop.sql("SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        shop.sql("SET GLOBAL read_only = 0")


@contextmanager
def flapping(shop: Shop) -> Iterator[None]:
    stop = threading.Event()

    def flap() -> None:
        while not stop.wait(0.05):
            shop.sql("SET GLOBAL read_only = 1 - @@read_only")

    thread = threading.Thread(target=flap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        shop.sql("SET GLOBAL read_only = 0")


@contextmanager
def a_column_less(shop: Shop) -> Iterator[None]:
    shop.sql("ALTER TABLE requests RENAME COLUMN client TO no_client")
    yield
    shop.sql("ALTER TABLE requests RENAME COLUMN no_client TO client")


@contextmanager
def a_column_more(shop: Shop) -> Iterator[None]:
    shop.sql("ALTER TABLE requests ADD COLUMN branch INT NOT NULL")
    yield
    shop.sql("ALTER TABLE requests DROP COLUMN branch")


@contextmanager
def disk_full(shop: Shop) -> Iterator[None]:
    shop.sql(f"CREATE TRIGGER full BEFORE INSERT ON requests FOR EACH ROW {TABLE_FULL}")
    yield
    shop.sql("DROP TRIGGER full")


@contextmanager
def no_room_for_large_rows(shop: Shop) -> Iterator[None]:
    shop.sql(
        "CREATE TRIGGER full BEFORE INSERT ON requests FOR EACH ROW BEGIN"
        f" IF LENGTH(NEW.response_body) > 400 THEN {TABLE_FULL}; END IF; END"
    )
    yield
    shop.sql("DROP TRIGGER full")


@contextmanager
def table_locked(shop: Shop) -> Iterator[None]:
    parts = urlsplit(shop.url)
    with closing(
        pymysql.connect(
            host="127.0.0.1",
            port=parts.port,
            user=shop.user,
            password=PASSWORD,
            database=parts.path[1:],
        )
    ) as connection:
        connection.cursor().execute("LOCK TABLES requests WRITE")
        yield


@contextmanager
def no_connection_left(shop: Shop) -> Iterator[None]:
    shop.sql(f"ALTER USER {shop.account} WITH MAX_USER_CONNECTIONS 1")
    parts = urlsplit(shop.url)

    def take() -> pymysql.Connection | None:
        shop.disconnect()
        with suppress(pymysql.MySQLError):
            return pymysql.connect(
                host="127.0.0.1", port=parts.port, user=shop.user, password=PASSWORD
            )
        return None

    with closing(until(take, "the only connection is the test's")):
        yield
    shop.sql(f"ALTER USER {shop.account} WITH MAX_USER_CONNECTIONS 0")


@contextmanager
def password_changed(shop: Shop) -> Iterator[None]:
    shop.sql(f"ALTER USER {shop.account} IDENTIFIED BY 'another'")
    shop.disconnect()
    yield
    shop.sql(f"ALTER USER {shop.account} IDENTIFIED BY '{PASSWORD}'")


FAULTS = [
    read_only,
    flapping,
    a_column_less,
    a_column_more,
    disk_full,
    no_room_for_large_rows,
    table_locked,
    no_connection_left,
    password_changed,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_is_lost_and_nothing_set_aside(trained_home, shop, fault):
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=shop.url) as service:
        noted = Load(service, 100, name="before").finish()
        shipped(noted, shop.admin_url)
        connections = shop.connections()
        with fault(shop):
            began = time.monotonic()
            noted |= Load(service, 300, name="during").finish()
            until(lambda: time.monotonic() - began > FAULT_SECONDS, "the fault has lasted")
        noted |= Load(service, 100, name="after").finish()
        rows = shipped(noted, shop.admin_url)
        made = shop.connections() - connections
        until(lambda: service.get("/readyz").json["status"] == "ok", "readiness is well again")
    health = spool_health(trained_home)
    assert len(noted) == 500, "every request was answered"
    assert compare(noted, rows) == ALL_WELL
    assert (health.dead_letters, health.damaged, health.lost) == (0, 0, 0)
    assert made < 300, "the server is not pressed with new connections"


@contextmanager
def slow_way(port: int, seconds: float) -> Iterator[int]:
    """Pass all bytes to *port*, each way so many seconds later; give the port in front."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as stack:

        def pass_on(one: socket.socket, other: socket.socket) -> None:
            with suppress(OSError):
                while data := one.recv(1 << 16):
                    time.sleep(seconds)
                    other.sendall(data)
            for each in (one, other):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    one = stack.enter_context(server.accept()[0])
                    other = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                    for pair in ((one, other), (other, one)):
                        threading.Thread(target=pass_on, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_nothing_is_lost_over_a_slow_network(trained_home, url):
    port = urlsplit(url).port
    with slow_way(port, 0.2) as slow:
        slowly = url.replace(f":{port}/", f":{slow}/")
        with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=slowly) as service:
            noted = Load(service, 500).finish()
            rows = shipped(noted, url)
    assert compare(noted, rows) == ALL_WELL


def test_dropped_tables_are_made_again(trained_home, url):
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        shipped(Load(service, 100, name="before").finish(), url)
        for table in ("requests", "request_parts", "spool_marks"):
            run_sql(url, f"DROP TABLE {table}")
        noted = Load(service, 100, name="after").finish()
        rows = shipped(noted, url)
    assert compare(noted, rows)["lost"] == []
    assert spool_health(trained_home).dead_letters == 0


def test_statements_fit_into_a_small_packet(trained_home, server, url):
    run_sql(url, "SET GLOBAL max_allowed_packet = 65536")
    try:
        with serving(trained_home, DIAMOND_DATABASE_URL=url) as service:
            quotes = b'{"carat": "' + b"'\\\\" * 170_000 + b'"}'
            header = {"User-Agent": "'" * 4000, "Content-Type": "application/json"}
            answers = [
                service.request("POST", f"/v1/predictions?q={'%27' * 900}", quotes, header)
                for _ in range(3)
            ]
            noted = Load(service, 50).finish()
            rows = shipped(noted, url)
    finally:
        run_sql(url, "SET GLOBAL max_allowed_packet = 16777216")
    large = [row for row in rows if row.request_body == quotes]
    assert [row.response_body for row in large] == [each.body for each in answers][::-1]
    assert large[0].headers["User-Agent"] == header["User-Agent"]
    assert compare(noted, rows)["lost"] == []
    assert spool_health(trained_home).dead_letters == 0


def poll(service: Service, key: dict[str, str], stop: threading.Event, found: list[int]) -> None:
    while not stop.is_set():
        found.append(service.get("/v1/requests", key).status)


def test_prices_do_not_wait_for_those_who_read_while_the_database_hangs(trained_home, server, url):
    key = {"X-API-Key": "a-long-secret"}
    patient = f"{url}?read_timeout=300"  # who waits for the database waits for longer than the test
    settings = {"DIAMOND_DATABASE_URL": patient, "DIAMOND_API_KEYS": "admin:a-long-secret"}
    with serving(trained_home, **settings) as service:
        assert service.post("/v1/predictions", STONE, key).status == 200
        assert service.get("/v1/requests", key).status == 200
        server.freeze()
        stop, found = threading.Event(), []
        pollers = [
            threading.Thread(target=poll, args=(service, key, stop, found)) for _ in range(4)
        ]
        for poller in pollers:
            poller.start()
        try:
            until(lambda: 503 in found, "a reader is turned away")
            for _ in range(200):
                assert service.post("/v1/predictions", STONE, key).status == 200
                assert service.get("/livez").status == 200
        finally:
            server.thaw()
            stop.set()
            for poller in pollers:
                poller.join()
        until(lambda: service.get("/v1/requests", key).status == 200, "the log is read again")


@pytest.fixture
def small_disk(tmp_path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A file system of 2 MB for the record, and what makes it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "diamond-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    larger = ["mount", "-o", "remount,size=100m", str(folder)]
    yield f"sqlite:///{folder / 'requests.db'}", lambda: subprocess.run(larger, check=True)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_nothing_is_lost_while_the_disk_of_the_record_is_full(trained_home, small_disk):
    url, make_larger = small_disk
    with serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service:
        noted = Load(service, 2000).finish()
        until(lambda: service.get("/readyz").json["status"] == "degraded", "readiness says so")
        make_larger()
        rows = shipped(noted, url)
    health = spool_health(trained_home)
    assert compare(noted, rows) == ALL_WELL
    assert (health.dead_letters, health.damaged, health.lost) == (0, 0, 0)
