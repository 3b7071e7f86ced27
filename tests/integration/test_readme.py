"""What the README tells people to type works."""

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support import diamond

from diamond_app.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_library_example_prices_a_stone(tmp_path):
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.fullmatch(r"\d{4} USD, \d{4} to \d{4}\n", done.stdout), done.stderr


def test_the_curl_examples_are_answered(service):
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    calls = [shlex.split(line) for line in lines if line.startswith("curl ")]
    assert len(calls) == 3
    for call in calls:
        options = dict(itertools.pairwise(call))
        url = next(word for word in call if word.startswith("http://127.0.0.1:8000/"))
        headers = dict([options["-H"].split(": ")] if "-H" in options else [])
        body = options["-d"].encode() if "-d" in options else None
        path = url.removeprefix("http://127.0.0.1:8000")
        answer = service.request("POST" if body else "GET", path, body, headers)
        assert answer.status == 200, call


def test_the_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "".join(blocks("sh")), re.MULTILINE):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize("line", re.findall(r"\.venv/bin/diamond (.*)", README))
def test_the_diamond_examples_name_real_commands_and_options(line, trained_home):
    words = shlex.split(line, comments=True)
    assert words[0] in COMMANDS
    subcommand = words[:2] if words[0] == "models" else words[:1]
    helped = diamond(trained_home, *subcommand, "--help").stdout
    for option in (word for word in words if word.startswith("--")):
        assert option in helped
