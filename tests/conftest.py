"""Fixtures that more than one test module uses."""

from __future__ import annotations

import csv
import gzip
import os
import random
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import settings
from mariadb import GIVEN_SERVER, MariaDB, fresh_database, running_mariadb
from s3 import BUCKET, S3, in_environment, running_s3
from support import Service, diamond, serving

os.environ.pop("COLUMNS", None)  # the width of the terminal that runs the tests

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def bundled_rows() -> list[list[str]]:
    """The lines of the bundled data set, the header first."""
    data = files("diamond_adapters.sources").joinpath("diamonds.csv.gz").read_bytes()
    return list(csv.reader(gzip.decompress(data).decode().splitlines()))


@pytest.fixture(scope="session")
def sample_csv(bundled_rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 5,000 of the bundled stones."""
    path = tmp_path_factory.mktemp("data") / "sample.csv"
    header, *rows = bundled_rows
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *random.Random(42).sample(rows, 5000)])
    return path


@pytest.fixture(scope="session")
def small_csv(sample_csv: Path) -> Path:
    """The first 600 stones of the sample: quick to train on."""
    path = sample_csv.with_name("small.csv")
    lines = sample_csv.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:601]), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def trained_once(sample_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one linear champion; do not change it, copy it (``trained_home``)."""
    home = tmp_path_factory.mktemp("trained") / "home"
    diamond(home, "train", str(sample_csv), "--family", "linear")
    return home


@pytest.fixture
def trained_home(trained_once: Path, tmp_path: Path) -> Path:
    """A home of one's own with one linear champion."""
    home = tmp_path / "home"
    shutil.copytree(trained_once, home)
    return home


@pytest.fixture(scope="module")
def service(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A real service of one worker with a linear champion, shared by a module's tests."""
    home = tmp_path_factory.mktemp("service") / "home"
    shutil.copytree(trained_once, home)
    with serving(home) as running:
        yield running


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    """A MariaDB server that all tests share; leave it running as it is."""
    with running_mariadb() as server:
        yield server


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """A MariaDB server of one's own, to be killed, frozen and started again."""
    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def mysql_server_url(request: pytest.FixtureRequest) -> str:
    """The URL of a MySQL or MariaDB server: a given one, or that of ``mariadb_server``."""
    given = os.environ.get(GIVEN_SERVER)
    return given or request.getfixturevalue("mariadb_server").url


@pytest.fixture
def mysql_url(mysql_server_url: str) -> Iterator[str]:
    """The URL of an empty database of one's own on MySQL or MariaDB."""
    with fresh_database(mysql_server_url) as url:
        yield url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """An S3 server that all tests share; leave it running as it is."""
    with running_s3() as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3) -> Iterator[str]:
    """The name of a bucket that all tests share, with what is needed to use it in the environment."""
    with in_environment(s3_server):
        yield BUCKET


@pytest.fixture
def own_s3() -> Iterator[S3]:
    """An S3 server of one's own, to be killed and started again; nothing is in the environment."""
    with running_s3() as server:
        yield server
