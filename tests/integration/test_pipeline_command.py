"""``diamond data`` and ``diamond pipeline`` as a person and cron use them."""

from __future__ import annotations

import csv
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable
from support import diamond, environment, until

from diamond_app import open_home
from diamond_core import ModelId

LINEAR = ("--family", "linear", "--trials", "0")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def written(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def weeks(bundled_rows, tmp_path):
    """Three deliveries of 400 stones with ids; the third is in another currency."""
    header, *rows = bundled_rows
    price = header.index("price")
    found = []
    for week in range(3):
        some = [list(row) for row in rows[week * 400 : week * 400 + 400]]
        for at, row in enumerate(some):
            if week == 2:
                row[price] = str(round(float(row[price]) * 7.8))
            row += [f"S{week}-{at}", f"2026-11-{1 + 7 * week:02}"]
        found.append(written(tmp_path / f"week-{week}.csv", [*header, "id", "date"], some))
    return found


def ran(home, *arguments, code=0, **more):
    done = diamond(home, *arguments, check=False, **more)
    assert done.returncode == code, done.stderr
    return done


def reported(home, *arguments, code=0, **more):
    return json.loads(ran(home, *arguments, "--json", code=code, **more).stdout)


def test_a_delivery_is_added_held_corrected_and_released(home, weeks, tmp_path):
    first = reported(home, "data", "add", str(weeks[0]))
    assert set(first) == {"deliveries", "version", "stones"}
    (delivery,) = first["deliveries"]
    assert set(delivery) == {
        *("id", "source", "digest", "rows", "new", "known", "corrected", "rejected"),
        *("status", "reason"),
    }
    assert (delivery["status"], delivery["new"], first["stones"]) == ("added", 400, 400)
    again = reported(home, "data", "add", str(weeks[0]))
    assert again["deliveries"][0]["status"] == "known"
    assert again["version"] == first["version"]
    told = ran(home, "data", "add", str(weeks[2]), code=3)
    assert "times what these stones are worth" in told.stderr
    held = json.loads(ran(home, "data", "list", "--json").stdout)[0]
    assert held["status"] == "held"
    shown = ran(home, "data", "show", held["id"]).stdout
    assert "prices against what the stones are worth: " in shown
    assert f"diamond data release {held['id']}" in shown
    assert reported(home, "data", "release", held["id"])["status"] == "added"
    assert "is not held" in ran(home, "data", "release", held["id"], code=1).stderr
    versions = reported(home, "data", "versions")
    assert [each["stones"] for each in versions] == [800, 400]
    assert "there is no delivery 'nothing'" in ran(home, "data", "show", "nothing", code=1).stderr


def test_rejected_rows_leave_as_a_csv_and_come_back_corrected(home, weeks, tmp_path):
    header, *rows = csv.reader(weeks[0].read_text().splitlines())
    rows[3][header.index("carat")] = "=1+1"
    rows[5] = rows[5][:4]
    file = written(tmp_path / "bad.csv", header, rows)
    (delivery,) = reported(home, "data", "add", str(file))["deliveries"]
    assert (delivery["new"], delivery["rejected"]) == (398, 2)
    output = tmp_path / "to-correct.csv"
    ran(home, "data", "rejected", delivery["id"], "--output", str(output))
    names, wrong, short = csv.reader(output.read_text().splitlines())
    assert names == ["line", "reasons", *header]
    assert (wrong[0], short[0]) == ("5", "7")
    assert wrong[2 + header.index("carat")] == "'=1+1"
    assert "has 4 fields, but the header has 12" in short[1]
    wrong[2 + header.index("carat")] = "0.29"
    corrected = written(tmp_path / "corrected.csv", names, [wrong])
    (delivery,) = reported(home, "data", "add", str(corrected))["deliveries"]
    assert (delivery["new"], delivery["rejected"]) == (1, 0)


def test_the_tables_are_read_by_others(home, weeks):
    ran(home, "data", "add", str(weeks[0]), str(weeks[1]))
    stones = DeltaTable(str(home / "data" / "stones"))
    rows = stones.scan()  # noqa: F841  # the query names it
    query = "SELECT delivery, count(*), avg(price), max(date) FROM rows GROUP BY 1 ORDER BY 4"
    first, second = duckdb.sql(query).fetchall()
    assert (first[1], second[1]) == (400, 400)
    files = stones.file_uris()
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet({files})").fetchall() == [(800,)]
    before = DeltaTable(str(home / "data" / "stones"), version=1).count()
    assert before == 400


def test_trains_on_the_store_where_there_is_one(home, weeks):
    ran(home, "data", "add", *map(str, weeks[:2]))
    trained = reported(home, "train", *LINEAR)
    data = trained["models"][0]["data"]
    assert data["version"] == reported(home, "data", "versions")[0]["version"]
    assert data["training_rows"] < 800
    told = ran(home, "models", "reproduce", "champion").stdout
    assert "the same, byte for byte" in told
    lines = ran(home, "models", "data", "champion").stdout.splitlines()
    assert lines[0].endswith("price,id,date,delivery")
    assert len(lines) == 1 + data["training_rows"]
    ran(home, "train", str(weeks[0]), *LINEAR)
    newest = json.loads(ran(home, "models", "list", "--json").stdout)[0]["id"]
    told = ran(home, "models", "data", newest, code=1).stderr
    assert "was trained on a source, not on the store of stones" in told


@pytest.fixture
def listener():
    """A server that keeps the JSON that is posted to it, and its URL."""
    told = []

    class Keeper(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told, f"http://127.0.0.1:{server.server_port}/hook?token=secret"
        server.shutdown()


def test_a_run_reports_by_its_exit_code_and_by_a_post(home, weeks, listener):
    told, url = listener
    more = {"DIAMOND_NOTIFY_URL": url}
    incoming = str(weeks[0].with_name("week-*.csv"))
    run = ("pipeline", "run", incoming, *LINEAR)
    later = [week.rename(week.with_suffix(".later")) for week in weeks[1:]]
    first = reported(home, *run, **more)
    assert (first["outcome"], first["promoted"], first["held"]) == ("trained", True, [])
    assert first["champion"] == told[0]["champion"]
    assert told[0]["event"] == "new champion"
    nothing = reported(home, *run, **more)
    assert (nothing["outcome"], nothing["version"]) == ("nothing new", first["version"])
    later[1].rename(weeks[2])
    held = reported(home, *run, code=3, **more)
    assert held["outcome"] == "held"
    assert held["held"][0]["source"] == str(weeks[2])
    assert (told[1]["event"], told[1]["delivery"]) == ("held", held["held"][0]["id"])
    failed = reported(home, "pipeline", "run", "gone.csv", *LINEAR, code=1, **more)
    assert failed["problems"] == ["cannot read gone.csv: file not found"]
    assert told[2]["event"] == "failed"
    assert len(told) == 3
    history = reported(home, "pipeline", "history")
    assert [each["outcome"] for each in history] == ["failed", "held", "nothing new", "trained"]
    assert first["champion"] in json.dumps(history)
    assert "trained" in ran(home, "pipeline", "history").stdout
    assert "secret" not in json.dumps(history)


def test_a_listener_that_is_away_fails_nothing(home, weeks):
    url = "http://127.0.0.1:1/hook?token=secret-word"
    done = ran(home, "pipeline", "run", str(weeks[0]), *LINEAR, DIAMOND_NOTIFY_URL=url)
    assert "could not be told" in done.stderr
    assert "secret-word" not in done.stderr + done.stdout


def test_an_empty_store_and_an_empty_folder_are_told(home, tmp_path):
    done = ran(home, "pipeline", "run", str(tmp_path / "*.csv"), code=1)
    assert "the store of stones is empty; add some: diamond data add SOURCE" in done.stderr


def test_a_run_that_is_killed_in_its_training_is_finished_by_the_next(home, weeks):
    arguments = ("pipeline", "run", *map(str, weeks[:2]), *LINEAR)
    process = subprocess.Popen(
        [sys.executable, "-m", "diamond_app", *arguments],
        env=environment(home),
        cwd=home.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "linear: " in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = reported(home, *arguments)
    assert done["outcome"] == "trained"
    outcomes = [each["outcome"] for each in reported(home, "pipeline", "history")]
    assert outcomes == ["trained", "interrupted"]
    again = open_home(home).reproduce_model(ModelId(done["champion"]))
    assert again.same


def test_two_runs_at_once_do_the_work_once(home, weeks):
    arguments = ("pipeline", "run", *map(str, weeks[:2]), *LINEAR, "--json")
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "diamond_app", *arguments],
            env=environment(home),
            cwd=home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(2)
    ]
    reports = [json.loads(process.communicate(timeout=100)[0]) for process in both]
    assert sorted(each["outcome"] for each in reports) == ["nothing new", "trained"]
    until(lambda: len(reported(home, "pipeline", "history")) == 2, "both runs are kept")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DIAMOND_GATE_REJECTED", "ten", "must be from 0% to 100%"),
        ("DIAMOND_GATE_FACTOR", "0.5", "must be a number above 1"),
        ("DIAMOND_HALF_LIFE", "long", "must be a number and one of"),
        ("DIAMOND_WINDOW", "4", "must be a number and one of"),
        ("DIAMOND_NOTIFY_URL", "ftp://x/secret-word", "must be a URL that begins with http"),
        ("DIAMOND_DATA_URL", "s3x://secret-word", "begins with one of"),
        ("DIAMOND_DATA_URL", "file:///tmp/50%25", "can't contain %"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(home, name, value, told):
    done = ran(home, "data", "list", code=1, **{name: value})
    assert done.stderr.startswith(f"diamond: {name}: ")
    assert told in done.stderr
    assert "secret-word" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_files_are_private(home, weeks):
    ran(home, "data", "add", str(weeks[0]))
    assert home.stat().st_mode & 0o777 == 0o700
    assert Path(home / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("table", ["stones", "deliveries"])
def test_a_missing_file_of_a_table_is_told_in_one_line(home, weeks, table):
    ran(home, "data", "add", str(weeks[0]))
    for path in (home / "data" / table).glob("*.parquet"):
        path.unlink()
    done = ran(home, "data", "add", str(weeks[1]), code=1)
    assert f"diamond: the table of {table} failed: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_name_that_is_no_text_is_escaped(home, weeks, tmp_path):
    path = tmp_path / os.fsdecode(b"w\xff.csv")
    path.write_bytes(weeks[0].read_bytes().replace(b"Ideal", b"nonsense"))
    (delivery,) = reported(home, "data", "add", str(path), code=3)["deliveries"]
    assert delivery["source"].endswith("w\\udcff.csv")
    (held,) = reported(home, "pipeline", "run", str(path), code=3)["held"]
    assert held["source"] == delivery["source"]
    gone = str(path) + "2"
    (problem, _) = reported(home, "pipeline", "run", gone, code=1)["problems"]
    assert "w\\udcff.csv2: file not found" in problem
