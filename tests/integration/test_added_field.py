"""A field added to a copy of the package, as docs/how-to/add-a-field.md says: yesterday's home goes on."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import make_files
from support import STONE, diamond

SRC = Path(__file__).parents[2] / "src"
OPTIONS = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]
GRADES = ("Strong", "Medium", "Faint", "None")


@pytest.fixture(scope="module")
def with_field(tmp_path_factory):
    """The PYTHONPATH of a copy of the package that has the field."""
    folder = tmp_path_factory.mktemp("field")
    make_files("how-to/add-a-field.md", folder)
    scale, entry, attribute = (
        (folder / name).read_text() for name in ("scale", "entry", "attribute")
    )
    shutil.copytree(SRC, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    stones = folder / "src" / "diamond_core" / "stones"
    fields = (stones / "fields.py").read_text()
    fields = fields.replace("@dataclass(", f"{scale}\n\n@dataclass(", 1)
    end = fields.index('\n)\n"""Every field of a stone')
    (stones / "fields.py").write_text(f"{fields[:end]}\n{entry.rstrip()}{fields[end:]}")
    diamond_py = (stones / "diamond.py").read_text()
    diamond_py = diamond_py.replace("    Cut,\n", "    Cut,\n    Fluorescence,\n", 1)
    last = "    z: float | None = None\n"
    assert diamond_py.count(last) == 1
    (stones / "diamond.py").write_text(diamond_py.replace(last, last + attribute))
    roots = (folder / "src", folder / "src" / "adapters", folder / "src" / "entrypoints")
    return os.pathsep.join(map(str, roots))


@pytest.fixture
def after(trained_home, with_field):
    """Run ``diamond`` of the copy in yesterday's home."""

    def after(*arguments, **options):
        return diamond(trained_home, *arguments, PYTHONPATH=with_field, **options).stdout

    return after


@pytest.fixture
def graded_csv(sample_csv, tmp_path):
    """The sample's stones with a grade of fluorescence, some of them unknown."""
    grade = random.Random(0)
    with sample_csv.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    path = tmp_path / "graded.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "fluorescence"])
        writer.writeheader()
        writer.writerows(row | {"fluorescence": grade.choice([*GRADES, ""])} for row in rows)
    return path


def python(code, path):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_yesterdays_champion_serves(trained_home, after):
    before = json.loads(diamond(trained_home, "predict", *OPTIONS, "--json").stdout)
    now = json.loads(after("predict", *OPTIONS, "--json"))
    for answer in (before, now):
        del answer["id"]
    assert now == before
    graded = json.loads(after("predict", *OPTIONS, "--fluorescence", "faint", "--json"))
    assert graded["price"] == before["price"]
    wrong = after("predict", *OPTIONS, "--fluorescence", "blue", check=False)
    assert wrong == ""
    similar = json.loads(after("similar", *OPTIONS, "-n", "3", "--json"))
    assert [stone.pop("fluorescence") for stone in similar["diamonds"]] == [None] * 3
    known = json.loads(diamond(trained_home, "similar", *OPTIONS, "-n", "3", "--json").stdout)
    assert similar == known


def test_the_hold_out_stands(with_field, sample_csv, graded_csv):
    code = f"""
import sys
from pathlib import Path
from diamond_adapters.sources.csv_source import CsvSource
from diamond_core import in_holdout
from diamond_core.use_cases.read_stones import read_stones
for path in ({str(sample_csv)!r}, {str(graded_csv)!r}):
    stones, _ = read_stones([CsvSource.from_path(Path(path))])
    print(stones.table.digest(), "".join("01"[int(held)] for held in in_holdout(stones.table)))
"""
    original = os.pathsep.join(str(SRC / name) for name in (".", "adapters", "entrypoints"))
    (plain, graded), (plain_after, graded_after) = (
        [line.split() for line in python(code, path).splitlines()]
        for path in (original, with_field)
    )
    assert plain_after == plain
    assert graded_after[1] == graded[1] == plain[1]
    assert 900 < plain[1].count("1") < 1100
    assert graded_after[0] != plain[0]


def test_the_history_compares(trained_home, after, sample_csv, graded_csv):
    first = json.loads(diamond(trained_home, "models", "list", "--json").stdout)[0]
    train = ("train", "--family", "linear", "--json")
    again = json.loads(after(*train, str(sample_csv)))
    assert [card["id"] for card in again["models"]] == [first["id"]]
    (graded,) = json.loads(after(*train, str(graded_csv)))["models"]
    assert graded["id"] != first["id"]
    assert graded["comparison"]["champion"] == first["id"]
    assert graded["comparison"]["champion_mae"] == pytest.approx(first["metrics"]["mae"])
    compare = ("models", "compare", first["id"], graded["id"], str(graded_csv), "--json")
    found = json.loads(after(*compare))
    assert any(each["by"] == "fluorescence" for each in found["groups"])
    assert found["models"][0]["metrics"]["mae"] == pytest.approx(first["metrics"]["mae"])
    # and the version of before reads what the one with the field has written
    before = json.loads(diamond(trained_home, *compare).stdout)
    assert before["models"][1]["metrics"] == pytest.approx(graded["metrics"])
    diamond(trained_home, "models", "promote", graded["id"], "--reason", "a test")
    assert json.loads(diamond(trained_home, "similar", *OPTIONS, "--json").stdout)["count"] == 5


def test_every_door_knows_the_field(with_field, tmp_path):
    code = """
import json
from diamond_app.api.openapi import schemas
from diamond_app.api.payloads import StoneBody
from diamond_app.web.site import Site
schema = schemas([StoneBody])["Diamond"]["properties"]
print(json.dumps(schema["fluorescence"]["enum"]))
print("fluorescence" in Site().files["grades.js"].data.decode())
"""
    values, page = python(code, with_field).splitlines()
    assert json.loads(values) == [*GRADES, None]
    assert page == "True"
    help = diamond(tmp_path / "home", "predict", "--help", PYTHONPATH=with_field).stdout
    assert "--fluorescence" in help
