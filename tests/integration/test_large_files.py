"""A large file is priced by several processes, the same as by one."""

from __future__ import annotations

import csv
import io
import os
import signal

import pytest
from falcon import testing
from support import diamond
from wired import in_memory

from diamond_app.cli import predict_job
from diamond_app.container import build_container
from diamond_app.priced_csv import price_csv
from diamond_app.pricing_processes import AHEAD, PricingProcesses
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core import FIELDS, Unavailable
from diamond_core.stones.fields import GRADES


@pytest.fixture
def wired(trained_home):
    container = build_container(Settings.load({"DIAMOND_HOME": str(trained_home)}, trained_home))
    container.champion_follower().refresh()
    return container


@pytest.fixture
def large_csv(tmp_path, sample_csv):
    """A CSV that is large enough for several processes; some rows can't be priced."""
    header, *rows = sample_csv.read_text(encoding="utf-8").splitlines(keepends=True)
    rows[::50] = ["1.1,Best\n", '"1,1",=1+1,H,"SI\n2"\n'] * (len(rows) // 100)
    rows *= predict_job.LARGE // len("".join(rows)) + 1
    path = tmp_path / "stones.csv"
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def test_a_large_file_is_priced_by_processes_as_by_one(wired, trained_home, large_csv, tmp_path):
    data, alone = large_csv.read_bytes(), io.BytesIO()
    assert len(data) >= predict_job.LARGE
    counts = price_csv("it", io.BytesIO(data), len(data), alone, wired.price_diamonds())
    out = tmp_path / "priced.csv"
    told = diamond(trained_home, "predict", str(large_csv), "--output", str(out)).stderr
    assert out.read_bytes() == alone.getvalue()
    assert f"{counts.good:,} stones priced, {counts.bad:,} rows not priced" in told
    assert counts.bad > 1000


def test_a_priced_row_has_the_price_of_a_batch(wired, sample_csv):
    data, target = sample_csv.read_bytes(), io.BytesIO()
    price_csv("it", io.BytesIO(data), len(data), target, wired.price_diamonds())
    rows = [*csv.DictReader(io.StringIO(target.getvalue().decode(), newline=""))]
    priced = [row for row in rows if not row["error"]]
    assert len(priced) > 4900
    stones = [
        {name: row[name] if name in GRADES else float(row[name]) for name in FIELDS if row[name]}
        for row in priced
    ]
    wired.request_log.override(in_memory().request_log)
    client = testing.TestClient(app_of(wired))
    answer = client.simulate_post("/v1/predictions/batch", json={"diamonds": stones})
    assert answer.status_code == 200
    for row, one in zip(priced, answer.json["predictions"], strict=True):
        ends = one["price_range"]
        found = [float(row[name]) for name in ("predicted_price", "price_low", "price_high")]
        # a runtime may add up rows in another order, in 32 bits
        assert found == pytest.approx([one["price"], ends["low"], ends["high"]], abs=0.011)
        assert row["warning"] == (one["warning"] or "")


def end_itself(part, price_diamonds):
    """Do what a process does that has no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_says_that_a_process_has_ended(wired):
    with (
        PricingProcesses(wired.settings(), wired.price_diamonds(), 1) as price_parts,
        pytest.raises(Unavailable, match="a process that prices has ended"),
    ):
        list(price_parts(end_itself, ["part"]))


def where_it_runs(part, price_diamonds):
    return part, os.getpid(), price_diamonds.card.id


def test_parts_keep_their_order_and_not_too_many_are_read_ahead(wired):
    read = []

    def parts():
        for number in range(300):
            read.append(number)
            yield number

    processes = set()
    with PricingProcesses(wired.settings(), wired.price_diamonds(), 1) as price_parts:
        for number, (part, process, model) in enumerate(price_parts(where_it_runs, parts())):
            assert (part, model) == (number, wired.price_diamonds().card.id)
            assert len(read) <= number + AHEAD + 1
            processes.add(process)
    assert read == list(range(300))
    assert processes > {os.getpid()}
