"""A real MariaDB server of the tests' own, in a temporary folder on a free loopback port."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pymysql
from support import DEADLINE, free_port, until

GIVEN_SERVER = "DIAMOND_TEST_MYSQL_URL"
USER = "diamond"
PASSWORD = "p@ss:w/rd +%41"  # of a server that lives as long as the tests
# native I/O is a resource that several servers on one machine can use up
_SMALL = ("--innodb-buffer-pool-size=32M", "--innodb-use-native-aio=0")
_BEYOND_PATH = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"


class MariaDB:
    """A server that can be killed, stopped, and started again on the same port and folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._options = options
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._as_root = ["--user=root"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [
                *(_program("mariadb-install-db"), "--no-defaults", *self._as_root),
                *(f"--datadir={folder / 'data'}", "--auth-root-authentication-method=socket"),
                *("--skip-test-db", "--skip-name-resolve", *_SMALL),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"MariaDB was not installed: {done.stdout.decode()}")
        (folder / "users.sql").write_text(
            f"CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1' WITH GRANT OPTION;\n",
            encoding="utf-8",
        )

    @property
    def url(self) -> str:
        """The server's URL, without a database."""
        return f"mysql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        assert self._process is None, "the server runs already"
        with (self.folder / "server.log").open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(_program("mariadbd"), "--no-defaults", *self._as_root),
                    f"--datadir={self.folder / 'data'}",
                    f"--socket={self.folder / 'socket'}",
                    f"--pid-file={self.folder / 'pid'}",
                    f"--init-file={self.folder / 'users.sql'}",
                    *("--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve"),
                    # as durable as a server of real life, but small
                    *("--innodb-flush-log-at-trx-commit=1", *_SMALL),
                    *("--innodb-log-file-size=32M", "--performance-schema=OFF"),
                    *("--character-set-server=utf8mb4", "--key-buffer-size=1M"),
                    *self._options,
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until(lambda: self.answers() or self._process.poll() is not None, "MariaDB answers")
        if self._process.poll() is not None:
            raise AssertionError(f"MariaDB ended: {(self.folder / 'server.log').read_text()}")

    def answers(self) -> bool:
        """Tell whether the server lets the tests' user in."""
        try:
            _connect(self.url, seconds=5).close()
        except pymysql.MySQLError:
            return False
        return True

    def kill(self) -> None:
        """End the server as kill -9 does."""
        self._signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> None:
        """Shut the server down in an orderly way."""
        self._signal(signal.SIGTERM)
        self._ended()

    def discard(self) -> None:
        """End the server, whatever state it is in."""
        if self._process is not None:
            self.kill()

    def freeze(self) -> None:
        """Stop the server's process: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        until(self._stands_still, "every thread of MariaDB is stopped")

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def _stands_still(self) -> bool:
        threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return {each.read_text().rpartition(")")[2].split()[0] for each in threads} == {"T"}

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        self._process.send_signal(number)

    def _ended(self) -> None:
        assert self._process is not None
        self._process.wait(DEADLINE)
        self._process = None


@contextmanager
def running_mariadb(*options: str) -> Iterator[MariaDB]:
    """Run a server of one's own and remove every trace of it in the end."""
    # a short path: that of a Unix socket may have 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="diamond-mariadb-"))
    try:
        server = MariaDB(folder, *options)
        try:
            server.start()
            yield server
        finally:
            server.discard()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Make an empty database on the server and return its URL; drop it in the end."""
    parts = urlsplit(server_url)
    name = f"diamond_test_{secrets.token_hex(6)}"
    run_sql(server_url, f"CREATE DATABASE {name}")
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        run_sql(server_url, f"DROP DATABASE {name}")


def run_sql(url: str, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
    """Run one statement in the database of *url* on a connection of its own; return the rows."""
    connection = _connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows = list(cursor.fetchall())
        connection.commit()
        return rows
    finally:
        connection.close()


def _connect(url: str, seconds: float = DEADLINE) -> Any:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path[1:]) or None,
        charset="utf8mb4",
        connect_timeout=int(seconds),
        read_timeout=seconds,
    )


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_BEYOND_PATH}")
    assert found, f"{name} is missing; run scripts/install-test-tools, or set {GIVEN_SERVER}"
    return found
