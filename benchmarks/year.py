"""What does a year of weekly deliveries make of the product?

    python benchmarks/year.py [--weeks 52] [--stones 1030] [--family linear] [--reproduce 10]

Cuts the bundled stones into weekly files, some of them late, repeated, corrected, broken or in
another unit; prices rise by 15 % over eight weeks; ten runs of the pipeline are killed. It checks
that every stone is in the store once, that every row is kept, that every wrong file is held, and
that no champion was worse than the one before, and prints the champion's mean error by week.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from year import (
    a_year,
    check_the_champions,
    check_the_store,
    factor_of,
    mean_error,
    of_week,
    run_year,
)

from diamond_app import open_home
from diamond_core import ModelId


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--stones", type=int, default=1030)
    parser.add_argument("--family", action="append")
    parser.add_argument("--trials", default="0")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--reproduce", type=int, default=10)
    parser.add_argument("--half-life", default="")
    parser.add_argument("--window", default="4w")
    options = parser.parse_args()
    year = a_year(options.weeks, options.stones)
    families = [part for name in options.family or ["linear"] for part in ("--family", name)]
    settings = {"DIAMOND_HALF_LIFE": options.half_life, "DIAMOND_WINDOW": options.window}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "home"
        started = time.perf_counter()
        arguments = (*families, "--trials", options.trials)
        done = run_year(path, year, *arguments, kills=options.kills, **settings)
        print(
            f"{options.weeks} weeks in {time.perf_counter() - started:.0f} s, {done.kills} killed;"
            f" a run takes {min(done.seconds):.1f} to {max(done.seconds):.1f} s"
        )
        home = open_home(path)
        check_the_store(home, year)
        print(
            f"{len(year.stones):,} stones, each once; {len(home.stone_store.deliveries())} deliveries"
        )
        changes = check_the_champions(home, done.champions)
        print(f"{changes} changes of the champion, none to a worse one")
        print("week  level  champion's mean error on the week's held-out stones")
        for week, champion in enumerate(done.champions):
            stones = of_week(home, week)
            level = factor_of(week, year.rise)
            print(f"{week:4}  {level:5.3f}  {mean_error(home, champion, stones):+.1%}")
        ids = [card.id for card in home.history.cards()]
        some = random.Random(0).sample(ids, min(options.reproduce, len(ids)))
        same = sum(home.reproduce_model(ModelId(id)).same for id in some)
        print(f"{same} of {len(some)} models trained again are the same, byte for byte")
        sys.exit(same != len(some))


if __name__ == "__main__":
    main()
