"""How many recorded requests does a replay price in a second?

    python benchmarks/replay.py [--requests 100000] [--trees]

Records requests of one stone each, half of them with measurements, in a SQLite file, trains a
model on 5,000 of the bundled stones (linear; with --trees also XGBoost), and replays them all. The
seconds are those of the processor, which other processes disturb less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from _record import fill, priced_exchange
from support import environment

from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.sources.bundled import bundled_source
from diamond_app import open_home
from diamond_app.price_responses import Prediction
from diamond_app.priced_exchanges import read_priced
from diamond_app.responses import encode
from diamond_core import (
    FIELDS,
    PriceDiamonds,
    ReplayRequests,
    clean,
    new_exchange_id,
    priced,
    read_requests,
)


def exchanges(pricer, table, count):
    """Yield exchanges as the service records them."""
    began = datetime.now(UTC) - timedelta(days=1)
    stones = [each for pair in zip(table, table.four_cs(), strict=True) for each in pair]
    answers = [pricer.one(stone) for stone in stones]
    for number in range(count):
        stone, answer = stones[number % len(stones)], answers[number % len(stones)]
        values = ((name, getattr(stone, name)) for name in FIELDS)
        body = {name: value for name, value in values if value is not None}
        id = new_exchange_id()
        yield priced_exchange(
            id,
            body,
            answer.price,
            occurred_at=began + timedelta(milliseconds=number),
            response_body=encode(Prediction.of(answer, id, stone.carat)),
            model_id=answer.card.id,
        )


def timed(what, count, work):
    """Print how long *work* took, and return what it returned."""
    wall, used = time.perf_counter(), time.process_time()
    found = work()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    print(
        f"{what:36}{count / used:12,.0f} a CPU second{count / wall:12,.0f} a second"
        f"{used / count * 1e6:8.1f} us"
    )
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--trees", action="store_true")
    given = parser.parse_args()
    table = clean(next(bundled_source().read())).table[:5_000]
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        sample = Path(name) / "sample.csv"
        columns = [*FIELDS, "price"]
        rows = zip(*(table.values(each) for each in FIELDS), table.price.tolist(), strict=True)
        lines = [columns, *([("" if v is None else str(v)) for v in row] for row in rows)]
        sample.write_text("\n".join(",".join(line) for line in lines) + "\n")
        families = ["linear", *(["xgboost"] if given.trees else [])]
        for family in families:
            command = ["train", str(sample), "--family", family, "--trials", "0"]
            subprocess.run(
                [sys.executable, "-m", "diamond_app", *command],
                env=environment(home),
                check=True,
                capture_output=True,
            )
        wired = open_home(home)
        cards = wired.history.cards()
        log = PeeweeRequestLog.from_url(f"sqlite:///{name}/requests.db")
        pricer = PriceDiamonds(wired.history.load(cards[-1].id))
        fill(log, exchanges(pricer, table, given.requests))
        since = datetime.now(UTC) - timedelta(days=7)
        count = given.requests

        def read():
            return sum(1 for _ in read_requests(log, *priced(since)))

        timed("read the exchanges", count, read)
        timed(
            "read stones and prices",
            count,
            lambda: sum(map(len, read_priced(read_requests(log, *priced(since))))),
        )
        replay = ReplayRequests(
            log, wired.history, read_priced, lambda: datetime.now(UTC), wired.outcome_log
        )
        for card in reversed(cards):
            found = timed(
                f"replay {card.family}",
                count,
                lambda card=card: replay(card.id, since=since),
            )
            print(f"    {found.exchanges:,} requests, {found.changed:,} prices change")
        log.close()


if __name__ == "__main__":
    main()
