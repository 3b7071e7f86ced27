"""What the README tells people to type works."""

import itertools
import json
import re
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest
from support import diamond, environment, serving

from diamond_adapters.database import open_database
from diamond_app.cli.main import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def curl(service, line):
    """Do to *service* what a curl command of the README does to its own."""
    call = shlex.split(line)
    options = dict(itertools.pairwise(call))
    url = next(word for word in call if word.startswith("http://127.0.0.1:8000/"))
    headers = dict([options["-H"].split(": ")] if "-H" in options else [])
    body = options["-d"].encode() if "-d" in options else None
    path = url.removeprefix("http://127.0.0.1:8000")
    answer = service.request("POST" if body else "GET", path, body, headers)
    assert answer.status == 200, call
    return answer.json


def curl_lines():
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("curl ")]


def shape(value):
    """Return the names and types of a JSON value."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


def test_the_library_example_prices_a_stone_of_a_home(trained_home, tmp_path):
    (example,) = blocks("python")
    assert len(example.replace("\n\n", "\n").splitlines()) == 5
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        env=environment(trained_home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.fullmatch(r"\d{4} USD, \d{4} to \d{4}\n", done.stdout), done.stderr


def test_the_curl_examples_are_answered(service):
    assert len(curl_lines()) == 4
    for line in curl_lines():
        assert curl(service, line)


def test_the_sample_response_is_that_of_the_command_above_it(service):
    (sample,) = blocks("json")
    assert shape(json.loads(sample)) == shape(curl(service, curl_lines()[0]))


def test_the_query_shows_requests_and_responses_in_mysql(trained_home, mysql_url):
    (query,) = blocks("sql")
    with serving(trained_home, DIAMOND_DATABASE_URL=mysql_url) as service:
        curl(service, curl_lines()[0])
        diamond(trained_home, "requests", "list", "--since", "2h", DIAMOND_DATABASE_URL=mysql_url)
    with closing(open_database(mysql_url)) as database:
        ((_, path, status, asked, answered),) = database.execute_sql(query).fetchall()
    assert (path, status) == ("/v1/predictions", 200)
    assert json.loads(asked)["carat"] == 1.1
    assert json.loads(answered)["currency"] == "USD"


def test_every_picture_and_page_is_there():
    named = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    assert [path for path in named if not (ROOT / path).exists()] == []
    pictures = [path for path in named if "/images/" in path]
    assert len(pictures) >= 4
    assert [path for path in pictures if (ROOT / path).stat().st_size > 150_000] == []


def test_each_promise_names_what_shows_it():
    table = README.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert 1 <= len(table) <= 8
    for row in table:
        _, _, shown_by, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        (name,) = re.findall(r"`([^`]+)`", shown_by)
        assert name == "diamond train" or (ROOT / name).is_file(), row


def test_the_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "".join(blocks("sh")), re.MULTILINE):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize("line", re.findall(r"^ *diamond (.*)", README, re.MULTILINE))
def test_the_diamond_examples_name_real_commands_and_options(line):
    assert_is_a_command(line)


@pytest.mark.parametrize("line", ["requests list --before 2h", "requests lists", "serve now"])
def test_other_commands_and_options_are_refused(line):
    with pytest.raises(click.UsageError):
        assert_is_a_command(line)


def assert_is_a_command(line):
    """Have click read a command line, down to the last option, and run nothing."""
    words, context = shlex.split(line, comments=True), click.Context(cli)
    while isinstance(context.command, click.Group):
        _, command, words = context.command.resolve_command(context, words)
        context = click.Context(command, parent=context)
    context.command.parse_args(context, words)
