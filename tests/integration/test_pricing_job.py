"""Many files priced into another folder, on this machine and in an object store."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys

import obstore
import pytest
from falcon import testing
from obstore.store import from_url
from support import diamond, environment, until
from tables import write_parquet

from diamond_adapters.folders import LocalFolder, split_pattern
from diamond_adapters.object_folder import ObjectFolder
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core import RawStones, clean

BAD = "x,Ideal,H,SI1,,,,,,\n"


@pytest.fixture
def lines(sample_csv):
    """The header and sound rows of the bundled stones."""
    header, *rows = sample_csv.read_text(encoding="utf-8").splitlines(keepends=True)
    rejected = clean(RawStones("", columns_of_lines(header, rows), range(len(rows)))).rejected
    wrong = {row.line for row in rejected}
    return [header, *(row for at, row in enumerate(rows) if at not in wrong)]


def columns_of_lines(header, rows):
    cells = zip(*csv.reader(rows), strict=True)
    return dict(zip(header.strip().split(","), map(list, cells), strict=True))


@pytest.fixture
def offers(lines, tmp_path):
    """Three files of 100 stones each, the last one with a row that can't be priced."""
    folder = tmp_path / "offers"
    folder.mkdir()
    header, *rows = lines
    for number in range(3):
        text = "".join([header, *rows[number * 100 : number * 100 + 100]])
        (folder / f"{number}.csv").write_text(text + BAD * (number == 2), encoding="utf-8")
    return folder


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def job(home, *arguments, **more):
    return json.loads(diamond(home, "predict", *map(str, arguments), "--json", **more).stdout)


def test_prices_each_file_as_the_service_does(trained_home, offers, tmp_path):
    found = job(trained_home, f"{offers}/*.csv", "--output", tmp_path / "priced")
    assert (found["stones"], found["rejected"]) == (300, 1)
    assert [each["name"] for each in found["files"]] == ["0.csv", "1.csv", "2.csv"]
    assert list(found["reasons"].values()) == [1]
    container = build_container(Settings.load({"DIAMOND_HOME": str(trained_home)}))
    container.champion_follower().refresh()
    client = testing.TestClient(app_of(container))
    for name in ("0.csv", "2.csv"):
        priced = [row for row in rows_of(tmp_path / "priced" / name) if not row["error"]]
        assert len(priced) == 100
        fields = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z")
        stones = [
            {key: row[key] if key in fields[1:4] else float(row[key]) for key in fields}
            for row in priced
        ]
        answer = client.simulate_post("/v1/predictions/batch", json={"diamonds": stones}).json
        asked = [each["price"] for each in answer["predictions"]]
        assert [float(row["predicted_price"]) for row in priced] == asked


def test_tells_why_rows_have_no_price(trained_home, offers, tmp_path):
    done = diamond(trained_home, "predict", str(offers), "--output", str(tmp_path / "priced"))
    assert "3 files priced into" in done.stdout
    assert "1 row not priced" in done.stdout
    assert "carat must be the weight in carats" in done.stdout


def test_goes_on_where_it_was_interrupted_with_the_same_model(trained_home, offers, tmp_path):
    output = tmp_path / "priced"
    first = job(trained_home, offers / "0.csv", offers / "1.csv", "--output", output)
    diamond(trained_home, "train", str(offers / "0.csv"), "--family", "linear", "--force")
    cards = json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    other = next(card["id"] for card in cards if card["id"] != first["model"])
    diamond(trained_home, "models", "promote", other, "--reason", "a test")
    priced_before = (output / "0.csv").read_bytes()
    (offers / "1.csv").write_bytes((offers / "1.csv").read_bytes() + BAD.encode())
    found = job(trained_home, f"{offers}/*.csv", "--output", output)
    assert found["model"] == first["model"]
    assert found["known"] == ["0.csv"]  # 1.csv has changed
    assert [each["name"] for each in found["files"]] == ["1.csv", "2.csv"]
    assert (found["stones"], found["rejected"]) == (300, 2)
    assert (output / "0.csv").read_bytes() == priced_before
    told = diamond(trained_home, "predict", f"{offers}/*.csv", "--output", str(output)).stderr
    assert f"going on with the model {first['model']}" in told


def test_a_killed_job_is_finished_by_the_same_command(trained_home, lines, tmp_path):
    offers, output = tmp_path / "offers", tmp_path / "priced"
    offers.mkdir()
    for number in range(12):
        (offers / f"{number:02}.csv").write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "diamond_app", "predict", f"{offers}/*.csv"]
    process = subprocess.Popen(
        [*command, "--output", str(output)],
        env=environment(trained_home),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    until((output / "_diamond/files/01.csv.json").exists, "two files are priced")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    found = job(trained_home, f"{offers}/*.csv", "--output", output)
    assert {"00.csv", "01.csv"} <= set(found["known"])
    assert found["stones"] == 12 * (len(lines) - 1) - found["rejected"]
    texts = {(output / f"{number:02}.csv").read_bytes() for number in range(12)}
    assert len(texts) == 1
    assert sorted(path.name for path in output.iterdir()) == [
        *(f"{number:02}.csv" for number in range(12)),
        "_diamond",
    ]


def test_prices_the_others_where_a_file_is_no_table_of_stones(trained_home, offers, tmp_path):
    (offers / "1.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    output = tmp_path / "priced"
    done = diamond(trained_home, "predict", str(offers), "--output", str(output), check=False)
    assert done.returncode == 1
    assert "diamond: 1.csv was not priced: the header lacks carat" in done.stderr
    assert {path.name for path in output.glob("*.csv")} == {"0.csv", "2.csv"}


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["{offers}/*.csv"], 2, "--output"),
        (["{offers}/*.csv", "--output", "{offers}"], 1, "another folder"),
        (["{offers}/*.parquet", "--output", "priced"], 1, "no such file"),
        (["{offers}/0.csv", "other/1.csv", "--output", "priced"], 2, "one folder at a time"),
        (["{offers}/*.csv", "--output", "ftp://host/x"], 1, "s3://bucket/prefix"),
        (["{offers}/*.csv", "--output", "s3://me:secret-word@b/x"], 1, "environment"),
        (["{offers}/*.csv", "--carat", "1", "--output", "priced"], 2, "one stone"),
        (["gone.csv", "--output", "priced.csv"], 2, "does not exist"),
        (["{offers}/0.csv", "--cluster", "local:2"], 2, "neither --json nor --cluster"),
        (["{offers}/*.csv", "--output", "priced", "--cluster", "nowhere"], 2, "tcp://host:8786"),
    ],
)
def test_explains_what_can_not_be_done(trained_home, offers, arguments, status, told):
    arguments = [each.format(offers=offers) for each in arguments]
    done = diamond(trained_home, "predict", *arguments, check=False)
    assert done.returncode == status
    assert told in done.stderr
    assert "secret-word" not in done.stderr


def test_prices_files_of_a_bucket_into_a_bucket(trained_home, offers, bucket, tmp_path):
    url = f"s3://{bucket}/{tmp_path.name}"
    store = from_url(url, client_options={"allow_http": True})
    for path in offers.iterdir():
        obstore.put(store, f"offers/{path.name}", path)
    columns = {name: [row[name] for row in rows_of(offers / "0.csv")] for name in ("cut", "color")}
    columns |= {"clarity": ["SI1"] * 100, "carat": [1.0 + at / 100 for at in range(100)]}
    write_parquet(tmp_path / "p.parquet", columns)
    obstore.put(store, "offers/p.parquet", tmp_path / "p.parquet")
    found = job(trained_home, f"{url}/offers/", "--output", f"{url}/priced/")
    assert found["stones"] == 400
    job(trained_home, f"{offers}/*.csv", "--output", tmp_path / "here")
    for name in ("0.csv", "1.csv", "2.csv"):
        data = bytes(obstore.get(store, f"priced/{name}").bytes())
        assert data == (tmp_path / "here" / name).read_bytes()
    assert bytes(obstore.get(store, "priced/p.parquet").bytes())[:4] == b"PAR1"
    again = job(trained_home, f"{url}/offers/*", "--output", f"{url}/priced")
    assert sorted(again["known"]) == ["0.csv", "1.csv", "2.csv", "p.parquet"]
    assert again["files"] == []


def test_workers_of_a_cluster_price_the_files(trained_home, offers, bucket, tmp_path):
    url = f"s3://{bucket}/{tmp_path.name}"
    store = from_url(url, client_options={"allow_http": True})
    diamond(trained_home, "models", "push", f"{url}/models")
    settings = {"DIAMOND_MODELS_URL": f"{url}/models"}
    (card,) = json.loads(diamond(trained_home, "models", "list", "--json", **settings).stdout)
    diamond(trained_home, "models", "promote", card["id"], "--reason", "a test", **settings)
    (offers / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for path in offers.iterdir():
        obstore.put(store, f"offers/{path.name}", path)
    arguments = [f"{url}/offers/*.csv", "--output", f"{url}/priced", "--cluster", "local:2"]
    done = diamond(trained_home, "predict", *arguments, "--json", check=False, **settings)
    assert done.returncode == 1  # of bad.csv
    found = json.loads(done.stdout)
    assert (found["stones"], found["rejected"], found["model"]) == (300, 1, card["id"])
    job(trained_home, f"{offers}/[0-9].csv", "--output", tmp_path / "here")
    for name in ("0.csv", "1.csv", "2.csv"):
        data = bytes(obstore.get(store, f"priced/{name}").bytes())
        assert data == (tmp_path / "here" / name).read_bytes()


class FolderContract:
    def test_finds_what_a_pattern_names(self, folder):
        for name in ("a.csv", "b.parquet", "x/c.csv", "x/y/d.csv", "_hidden/e.csv", ".f.csv"):
            folder.write(name, b"1")

        def found(pattern):
            return [each.name for each in folder.files(pattern)]

        assert found("*.csv") == ["a.csv"]
        assert found("*") == ["a.csv", "b.parquet"]
        assert found("x/*.csv") == ["x/c.csv"]
        assert found("**/*.csv") == ["a.csv", "x/c.csv", "x/y/d.csv"]
        assert found("[ab].*") == ["a.csv", "b.parquet"]
        assert found("gone/*.csv") == []

    def test_a_changed_file_has_another_version(self, folder):
        folder.write("a.csv", b"1")
        (before,) = folder.files("*")
        folder.write("a.csv", b"22")
        (after,) = folder.files("*")
        assert (before.size, after.size) == (1, 2)
        assert before.version != after.version

    def test_gives_back_what_was_stored(self, folder, tmp_path):
        assert folder.read("x/a.csv") is None
        (tmp_path / "one").write_bytes(b"stones")
        folder.store("x/a.csv", tmp_path / "one")
        assert folder.read("x/a.csv") == b"stones"
        (tmp_path / "into").mkdir()
        assert folder.fetch("x/a.csv", tmp_path / "into").read_bytes() == b"stones"


class TestLocalFolder(FolderContract):
    @pytest.fixture
    def folder(self, tmp_path):
        return LocalFolder(tmp_path / "a folder")


class TestObjectFolder(FolderContract):
    @pytest.fixture
    def folder(self, bucket, tmp_path):
        return ObjectFolder.from_url(f"s3://{bucket}/{tmp_path.name}/a folder")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://b/offers/*.parquet", ("s3://b/offers", "*.parquet")),
        ("s3://b/offers/**/*.csv", ("s3://b/offers", "**/*.csv")),
        ("offers/2026-*/a.csv", ("offers", "2026-*/a.csv")),
        ("*.csv", (".", "*.csv")),
        ("a.csv", (".", "a.csv")),
        ("/*.csv", ("/", "*.csv")),
        ("/x/a.csv", ("/x", "a.csv")),
    ],
)
def test_splits_a_pattern_from_its_folder(text, expected):
    assert split_pattern(text) == expected
