"""A year of weekly deliveries, cut from the bundled stones, and what must come of them."""

from __future__ import annotations

import csv
import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
from support import diamond, environment

from diamond_adapters.sources.bundled import bundled_source
from diamond_app.home import Home
from diamond_core import COLUMNS, GRADES, ModelId, StoneRecords, clean, in_holdout

FIRST_DAY = date(2025, 11, 24)
RISE = 0.15
"""How much prices rise in the weeks of the rise."""
_BAD = (("carat", "heavy"), ("cut", "Perfect"), ("price", "-5"), ("clarity", ""), ("color", "Z"))


@dataclass
class File:
    """One file of a week: its rows, and whether it must be held."""

    name: str
    rows: list[dict[str, str]]
    bad: int = 0
    held: str = ""
    """A part of the reason why it must be held, or ''."""
    columns: tuple[str, ...] = ()
    delimiter: str = ","

    def write(self, folder: Path) -> Path:
        """Write the file as a trader would."""
        path = folder / self.name
        columns = self.columns or (*COLUMNS, "id", "date")
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, delimiter=self.delimiter, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        return path


@dataclass
class Year:
    """The deliveries of each week, and the stones that must be in the store in the end.

    Attributes:
        weeks: the files that arrive in each week, in their order.
        stones: id -> the row that must be in the store.
        rise: the first and the last week of the rise of prices.
        repeated: how many files come again as they were.
    """

    weeks: list[list[File]]
    stones: dict[str, dict[str, str]]
    rise: tuple[int, int]
    repeated: int = 0
    files: list[File] = field(default_factory=list)


def day_of(week: int) -> date:
    """Return the day of a week's prices."""
    return FIRST_DAY + timedelta(weeks=week)


def factor_of(week: int, rise: tuple[int, int]) -> float:
    """Return the level of prices in a week."""
    first, last = rise
    share = min(max((week - first + 1) / (last - first + 1), 0.0), 1.0)
    return (1.0 + RISE) ** share


def a_year(weeks: int, stones_a_week: int, *, seed: int = 0) -> Year:
    """Return a year: some files late, repeated, corrected, broken, in another unit, or wider."""
    chance = random.Random(seed)
    rise = (round(weeks * 0.4), round(weeks * 0.4) + min(7, weeks // 5))
    stones = _usable_stones()
    chance.shuffle(stones)
    plan: list[list[File]] = []
    expected: dict[str, dict[str, str]] = {}
    for week in range(weeks):
        some = stones[week * stones_a_week : (week + 1) * stones_a_week]
        rows = []
        for at, stone in enumerate(some):
            price = str(round(float(stone["price"]) * factor_of(week, rise)))
            id, day = f"S{week:02}-{at:04}", str(day_of(week))
            rows.append({**stone, "price": price, "id": id, "date": day})
        expected |= {row["id"]: row for row in rows}
        bad = [_spoiled(row, chance) for row in chance.sample(rows, max(1, len(rows) // 100))]
        plan.append([File(f"week-{week:02}.csv", [*rows, *bad], len(bad))])
    year = Year(plan, expected, rise)
    _late(year, round(weeks * 0.1))
    _repeated(year, round(weeks * 0.2))
    _corrected(year, round(weeks * 0.3), chance)
    _broken(year, round(weeks * 0.4))
    _in_another_currency(year, round(weeks * 0.5))
    _in_grams(year, round(weeks * 0.63))
    _with_a_new_column(year, round(weeks * 0.75))
    _with_semicolons(year, round(weeks * 0.85))
    year.files = [file for week in year.weeks for file in week]
    return year


def _usable_stones() -> list[dict[str, str]]:
    """Return the bundled rows that are valid, as text."""
    data = files("diamond_adapters.sources").joinpath("diamonds.csv.gz").read_bytes()
    rows = list(csv.DictReader(gzip.decompress(data).decode().splitlines()))
    rejected: set[int] = set()
    for batch in bundled_source().read():
        rejected |= {row.line for row in clean(batch).rejected}
    return [
        {name: row[name] for name in COLUMNS}
        for line, row in enumerate(rows, start=2)
        if line not in rejected
    ]


def _spoiled(row: dict[str, str], chance: random.Random) -> dict[str, str]:
    name, value = chance.choice(_BAD)
    return {**row, name: value, "id": f"{row['id']}-bad"}


def _own(year: Year, week: int) -> File:
    """Return the file of a week's stones."""
    return next(each for each in year.weeks[week] if each.name == f"week-{week:02}.csv")


def _late(year: Year, week: int) -> None:
    """The file of a week comes two weeks later."""
    late = _own(year, week)
    year.weeks[week].remove(late)
    year.weeks[week + 2].append(late)


def _repeated(year: Year, week: int) -> None:
    file = _own(year, week)
    year.weeks[week + 1].append(File(f"again-{file.name}", file.rows, file.bad))
    year.repeated += 1


def _corrected(year: Year, week: int, chance: random.Random) -> None:
    """A week later, some prices are corrected."""
    ids = chance.sample([id for id in year.stones if id.startswith(f"S{week:02}-")], 10)
    rows = [{**year.stones[id], "price": str(int(year.stones[id]["price"]) + 100)} for id in ids]
    year.stones |= {row["id"]: row for row in rows}
    year.weeks[week + 1].append(File(f"corrections-{week:02}.csv", rows))


def _broken(year: Year, week: int) -> None:
    right = _own(year, week)
    count = len(right.rows) // 3
    broken = [{**row, "carat": "?"} for row in right.rows[:count]]
    rows = [*broken, *right.rows[count:]]
    _wrong_first(
        year, week, File(f"broken-{week:02}.csv", rows, right.bad + count, "are not usable")
    )


def _wrong_first(year: Year, week: int, wrong: File) -> None:
    """The wrong file comes, and a week later the right one."""
    right = _own(year, week)
    year.weeks[week][year.weeks[week].index(right)] = wrong
    year.weeks[week + 1].append(right)


def _in_another_currency(year: Year, week: int) -> None:
    right = _own(year, week)
    rows = [
        {**row, "price": str(round(float(row["price"]) * 7.8)) if row["price"] != "-5" else "-5"}
        for row in right.rows
    ]
    wrong = File(f"dollars-of-hong-kong-{week:02}.csv", rows, right.bad, "the prices are")
    _wrong_first(year, week, wrong)


def _in_grams(year: Year, week: int) -> None:
    right = _own(year, week)
    rows = [
        {**row, "carat": f"{float(row['carat']) / 5:.4f}" if row["carat"] != "heavy" else "heavy"}
        for row in right.rows
    ]
    columns = tuple(name for name in (*COLUMNS, "id", "date") if name not in ("x", "y", "z"))
    wrong = File(f"grams-{week:02}.csv", rows, right.bad, "the weights are", columns)
    _wrong_first(year, week, wrong)


def _with_a_new_column(year: Year, week: int) -> None:
    file = _own(year, week)
    for row in file.rows:
        row["fluorescence"] = "None"
    file.columns = ("fluorescence", "id", "date", *reversed(COLUMNS))


def _with_semicolons(year: Year, week: int) -> None:
    file = _own(year, week)
    file.delimiter = ";"


def run_year(home: Path, year: Year, *arguments: str, kills: int, **settings: str) -> YearRun:
    """Give a home each week's files, as cron would; in some weeks the run is killed, and repeated.

    Raises:
        AssertionError: a run ended in another way than its week must.
    """
    incoming = home.parent / "incoming"
    incoming.mkdir()
    chance = random.Random(1)
    killed = chance.sample(range(1, len(year.weeks)), kills)
    done = YearRun([], [], 0)
    took = 5.0
    for week, due in enumerate(year.weeks):
        for each in due:
            each.write(incoming)
        command = ("pipeline", "run", str(incoming / "*.csv"), *arguments, "--json")
        if week in killed:
            done.kills += _killed(home, command, chance.uniform(0.0, took), **settings)
        started = time.perf_counter()
        ended = diamond(home, *command, check=False, **settings)
        took = time.perf_counter() - started
        report = json.loads(ended.stdout)
        held = [each.name for each in due if each.held]
        assert ended.returncode == (3 if held else 0), ended.stderr
        reasons = {Path(each["source"]).name: each["reason"] for each in report["held"]}
        assert sorted(reasons) == sorted(held), report
        for each in due:
            assert each.held in reasons.get(each.name, ""), report
            (incoming / each.name).unlink()
        done.champions.append(report["champion"])
        done.seconds.append(took)
    return done


@dataclass
class YearRun:
    """The champion after each week, the seconds that each run took, and the runs that were killed."""

    champions: list[str]
    seconds: list[float]
    kills: int


def _killed(home: Path, command: Sequence[str], seconds: float, **settings: str) -> int:
    """Start a command and kill it; return 1 if it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "diamond_app", *command],
        env=environment(home, **settings),
        cwd=home.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 1
    return 0


def check_the_store(home: Home, year: Year) -> None:
    """Every good stone is in the store once, and every row that was delivered is kept.

    Raises:
        AssertionError: a stone or a row is missing, or there is one too many.
    """
    store = home.stone_store
    stored = StoneRecords.concatenate(list(store.stones()))
    assert len(stored) == len(year.stones) == store.version().stones
    columns = [stored.table.values(name) for name in COLUMNS]
    found = {
        id: (str(day), *values)
        for id, day, *values in zip(stored.ids, stored.dates, *columns, strict=True)
    }
    assert found == {id: _values(row) for id, row in year.stones.items()}
    distinct = {tuple(map(str, each.rows)): each for each in reversed(year.files)}.values()
    deliveries = store.deliveries()
    assert len(deliveries) == len(distinct) == len(year.files) - year.repeated
    assert sum(each.rejected for each in deliveries) == sum(each.bad for each in distinct)
    for delivery in deliveries:
        kept = sum(len(rows.lines) for rows in store.delivered(delivery.id))
        assert kept == delivery.rows
    names = {each.name: len(each.rows) for each in distinct}
    assert {Path(each.source).name: each.rows for each in deliveries} == names


def _values(row: dict[str, str]) -> tuple[object, ...]:
    numbers = (row[name] if name in GRADES else float(row[name]) for name in COLUMNS)
    return (row["date"], *numbers)


def mean_error(home: Home, model: str, stones: StoneRecords) -> float:
    """Return the mean relative error of a model's prices for the held-out ones of *stones*."""
    table = stones.table[in_holdout(stones.table)]
    prices = home.history.load(ModelId(model)).model.price(table)
    return float(np.mean(prices / table.price - 1.0))


def of_week(home: Home, week: int) -> StoneRecords:
    """Return the stones of a week as they are in the store."""
    stored = StoneRecords.concatenate(list(home.stone_store.stones()))
    return stored[np.array([id.startswith(f"S{week:02}-") for id in stored.ids])]


def check_the_champions(home: Home, champions: Sequence[str]) -> int:
    """Each champion was better than the one before on the held-out stones of its window.

    Return the number of changes.

    Raises:
        AssertionError: a champion was worse.
    """
    changes = [(before, after) for before, after in pairwise(champions) if before != after]
    for before, after in changes:
        card = home.history.card(ModelId(after))
        records = StoneRecords.concatenate(list(home.stone_store.stones(card.data.version)))
        scored = in_holdout(records.table)
        scored &= records.dates >= np.datetime64(card.data.scored_since)
        table = records.table[scored]
        assert len(table) == card.data.holdout_rows
        errors = [
            float(np.abs(home.history.load(ModelId(id)).model.price(table) - table.price).mean())
            for id in (before, after)
        ]
        assert errors[1] < errors[0]
    return len(changes)
