"""Text from outside does not control a terminal, forge a line of a log, or end a command."""

from __future__ import annotations

import json
import logging
import os
import pty
import shutil
import subprocess
import sys

import pytest
from support import DEADLINE, diamond, environment, serving

from diamond_app.logs import JsonFormatter, TextFormatter

LISTS = {"train": ("models", "list")}
SOURCE = "x\x1b[31m[/red].csv"
EVIL = "a\x1b[2J\x9b1m\u202eb\r\nc [/red] [bold]"


def in_terminal(home, *arguments: str, columns: int = 80) -> str:
    """Run a command whose output and errors are a terminal, and return what it shows."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "diamond_app", *arguments],
        env=environment(home, COLUMNS=str(columns), TERM="dumb"),
        cwd=home.parent,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 65_536):
            shown += part
    except OSError:  # the command has ended
        pass
    os.close(leader)
    process.wait(DEADLINE)
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def evil_home(small_csv, tmp_path_factory):
    """A home with a model from a file, a promotion and an exchange whose texts are hostile."""
    folder = tmp_path_factory.mktemp("evil")
    home = folder / "home"
    source = folder / SOURCE
    source.parent.mkdir()
    shutil.copy(small_csv, source)
    run = json.loads(diamond(home, "train", str(source), "--family", "linear", "--json").stdout)
    diamond(home, "models", "promote", run["champion"], "--reason", EVIL)
    with serving(home) as service:
        service.get("/v1/%1b[2J%c2%9b%0aforged%20[/red]?%1b", {"User-Agent": "\x1b[2J"})
        body = json.dumps({"carat": EVIL}, ensure_ascii=False).encode()
        service.post("/v1/predictions", body, {"Content-Type": "application/json"})
    return home


@pytest.mark.parametrize(
    "arguments",
    [
        ("models", "list"),
        ("models", "list", "--json"),
        ("models", "show", "champion"),
        ("models", "compare", "champion", "champion"),
        ("train", SOURCE, "--family", "linear"),
        ("train", "gone\x1b[31m.csv"),
        ("requests", "list"),
        ("requests", "list", "--json"),
        ("requests", "export"),
        ("requests", "export", "--format", "csv"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_commands_show_hostile_text_escaped(evil_home, arguments):
    shown = in_terminal(evil_home, *arguments)
    assert "Traceback" not in shown
    strange = {each for each in shown if not each.isprintable()} - {"\n", "\t", "\r"}
    if arguments[0] == "train":
        strange -= {"\x1b"}  # the progress bar's own
        assert "\x1b[31m" not in shown
    assert not strange


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        (("models", "list"), "MAE $"),
        (("train", SOURCE, "--family", "linear"), "MAE $"),
        (("requests", "list"), "ms"),
    ],
    ids=["models list", "train", "requests list"],
)
def test_a_narrow_terminal_shows_ids_and_figures_whole(evil_home, arguments, whole):
    shown = in_terminal(evil_home, *arguments)
    listed = diamond(evil_home, *(LISTS.get(arguments[0]) or arguments), "--json").stdout
    id = json.loads(listed)[0]["id"]
    assert id in shown
    assert whole in shown
    assert "…" not in shown


def test_files_get_the_text_unchanged(evil_home, tmp_path):
    diamond(evil_home, "requests", "export", "--output", str(tmp_path / "all.jsonl"))
    newest = json.loads((tmp_path / "all.jsonl").read_text().splitlines()[0])
    assert json.loads(newest["request_body"]) == {"carat": EVIL}


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_a_record_of_the_log_is_one_line_without_control_characters(formatter):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (EVIL,), None)
    record.request_id = EVIL
    line = formatter.format(record)
    assert line.isprintable()
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["message"] == json.loads(line)["request_id"] == EVIL


def test_a_path_does_not_forge_a_line_of_the_access_log(trained_home):
    more = {"GUNICORN_CMD_ARGS": "--access-logfile -", "DIAMOND_LOG_FORMAT": "text"}
    with serving(trained_home, **more) as service:
        service.get("/v1/x%0aforged%1b[2J")
    assert "\x1b" not in service.log.read_text()
    assert not [line for line in service.log.read_text().splitlines() if line.startswith("forged")]
