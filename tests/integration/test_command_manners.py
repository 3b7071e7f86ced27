"""Commands in places where they can't work, and what they leave behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from support import diamond, free_port

NOT_WRITABLE = Path("/proc/diamond-home")  # not even for root
STONE = ("--carat", "1", "--cut", "Ideal", "--color", "E", "--clarity", "IF")


@pytest.mark.parametrize(
    "command",
    [
        ("requests", "list"),
        ("requests", "export"),
        ("requests", "show", "x"),
        ("requests", "replay", "--model", "champion"),
        ("requests", "recompute", "x"),
        ("requests", "dead-letters", "list"),
        ("models", "list"),
        ("models", "show", "champion"),
        ("similar", *STONE),
        ("predict", *STONE),
        ("doctor",),
        ("grades",),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_reading_creates_nothing(tmp_path, command):
    diamond(tmp_path / "home", *command, check=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("train", "--family", "linear"), "can't be locked"),
        (("requests", "prune", "--older-than", "3d", "--yes"), "failed"),
        (("models", "promote", "x", "--reason", "y"), "no model 'x'"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_home_that_is_not_writable_is_one_sentence(tmp_path, command, said):
    done = diamond(tmp_path / "home", *command, check=False, DIAMOND_HOME=str(NOT_WRITABLE))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert said in done.stderr.splitlines()[-1]


def test_doctor_names_a_home_that_can_not_be_created(tmp_path):
    done = diamond(tmp_path / "home", "doctor", check=False, DIAMOND_HOME="/dev/null/home")
    assert "FAIL home folder can be written: /dev/null/home can't be created" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (("--bind", "127.0.0.1:99999"), {}, "not HOST:PORT"),
        (("--bind", "here"), {}, "not HOST:PORT"),
        ((), {"WEB_CONCURRENCY": "abc"}, "WEB_CONCURRENCY: must be a number of processes"),
        ((), {"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY: must be a number of processes"),
    ],
)
def test_serve_refuses_what_gunicorn_can_not_use(tmp_path, arguments, more, said):
    done = diamond(tmp_path / "home", "serve", *arguments, check=False, **more)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "key" not in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_on_a_taken_port_says_so_before_it_shows_a_key(tmp_path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = diamond(tmp_path / "home", "serve", "--bind", f"127.0.0.1:{port}", check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"diamond: the service can't listen on 127.0.0.1:{port}: Address already in use"
    )
    assert "key" not in done.stderr


def test_predict_checks_its_output_before_it_prices(trained_home, tmp_path):
    source = tmp_path / "stones.csv"
    source.write_text("carat,cut,color,clarity\n1,Ideal,E,IF\n")
    done = diamond(
        trained_home,
        "predict",
        str(source),
        "--output",
        str(tmp_path / "no" / "x.csv"),
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"diamond: {tmp_path / 'no' / 'x.csv'} can't be written: No such file or directory"
    ]


def test_train_says_why_the_better_of_two_is_not_promoted_and_where_the_report_is(
    trained_home, small_csv
):
    done = diamond(trained_home, "train", str(small_csv), "--family", "linear", "--force")
    assert "was not promoted: its MAE is " in done.stdout
    report = done.stdout.partition("report: ")[2].strip()
    assert Path(report).is_file()
    again = diamond(trained_home, "train", str(small_csv), "--family", "linear")
    assert "was already there; --force trains again" in again.stdout


def test_train_counts_rejected_rows_by_reason(tmp_path, small_csv):
    bad = tmp_path / "bad.csv"
    lines = small_csv.read_text().splitlines()
    carat = lines[0].split(",").index("carat")
    broken = []
    for at, line in enumerate(lines[1:60]):
        cells = line.split(",")
        cells[carat] = str(-1 - at)
        broken.append(",".join(cells))
    bad.write_text("\n".join([*lines, *broken]) + "\n")
    done = diamond(tmp_path / "home", "train", str(bad), "--family", "linear")
    assert "  59 x line 602: carat must be" in done.stderr
