"""Does a service stay fast, small and complete for ten minutes in which much happens?

    python benchmarks/soak.py [--minutes 10] [--rate N]

Two workers, at 70 % of the greatest rate that these clients reach; a new champion, linear and XGBoost
in turns, every 20 seconds; MariaDB is killed for a tenth of the time. Prints what the clients saw, the memory
of the workers, and what the record lacks. Ends with 1 if a request failed, or an exchange is lost,
recorded twice, or changed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from _load import train
from load import ALL_WELL, Load
from mariadb import fresh_database, running_mariadb
from soak import soak
from support import diamond, serving

PROMOTE_SECONDS = 20.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--rate", type=float, help="requests a second; default is 70 %% of the peak"
    )
    options = parser.parse_args()
    seconds = 60.0 * options.minutes
    with (
        tempfile.TemporaryDirectory() as name,
        running_mariadb() as server,
        fresh_database(server.url) as url,
    ):
        home = Path(name) / "home"
        train(home, "linear")
        train(home, "xgboost")
        cards = json.loads(diamond(home, "models", "list", "--json").stdout)
        with serving(home, workers=2, DIAMOND_DATABASE_URL=url) as service:
            rate = options.rate
            if rate is None:
                load = Load(service, 10_000, name="peak")
                load.finish()
                rate = 0.7 * 10_000 / load.elapsed
            found = soak(
                service,
                home,
                server,
                url,
                [card["id"] for card in cards],
                seconds=seconds,
                rate=rate,
                promote_every=PROMOTE_SECONDS,
                away_from=0.4 * seconds,
                away_until=0.5 * seconds,
            )
    first = statistics.median(each for at, each in found.memory if at < 0.2 * seconds)
    last = statistics.median(each for at, each in found.memory if at > 0.8 * seconds)
    most = max(each for _, each in found.memory)
    slowest = ", ".join(f"{each * 1e3:,.0f}" for each in found.slowest)
    memory = (
        f"{first:,.0f} MB in the first fifth, {last:,.0f} MB in the last, at most {most:,.0f} MB"
    )
    print("| | |\n|---|---|")
    for what, value in (
        ("requests a second", f"{rate:,.0f}, for {options.minutes:g} minutes"),
        ("responses", f"{found.answers.total():,}: {dict(sorted(found.answers.items()))}"),
        ("requests that failed", found.unexpected),
        ("p99", f"{found.p99 * 1e3:,.1f} ms; the slowest took {slowest} ms"),
        ("new champions", found.promotions),
        ("memory of both workers", memory),
        *((f"exchanges {what}", len(ids)) for what, ids in found.record.items()),
    ):
        print(f"| {what} | {value} |")
    if found.unexpected or found.record != ALL_WELL:
        sys.exit(1)


if __name__ == "__main__":
    main()
