"""Real traffic and a market that moved: live errors and drift are what a direct computation says."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys

import numpy as np
import pytest
from support import diamond, environment, serving

from diamond_core.stones.fields import FIELDS

STONES = 20_000
AT_ONCE = 500
KEY = {"X-API-Key": "long-secret"}
SETTINGS = {"DIAMOND_API_KEYS": "admin:long-secret"}
RISE = 1.15


@pytest.fixture(params=["sqlite", "mysql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'requests.db'}"
    return request.getfixturevalue("mysql_url")


def as_stones(rows, factor=1.0):
    """The stones of rows of the bundled data set, as callers send them."""
    header, *rows = rows
    stones = [dict(zip(header, row, strict=True)) for row in rows]
    return [
        {"carat": round(float(each["carat"]) * factor, 2)}
        | {name: each[name] for name in list(FIELDS)[1:4]}
        for each in stones
    ]


def watch(home, settings):
    subprocess.run(
        [sys.executable, "-m", "diamond_app.watch"],
        env=environment(home, **settings),
        check=True,
        timeout=120,
    )


def test_live_errors_and_drift_of_real_traffic(trained_home, bundled_rows, url):
    settings = SETTINGS | {"DIAMOND_DATABASE_URL": url}
    chance = random.Random(1)
    header, *rows = bundled_rows
    chosen = [row for row in chance.sample(rows, STONES + 2000) if "0.0" not in row[4:]][:STONES]
    price_at = header.index("price")
    paid: dict[str, tuple[float, float, bool]] = {}
    with serving(trained_home, workers=2, **settings) as service:
        champion = service.get("/v1/models/champion", KEY).json["id"]
        for start in range(0, STONES, AT_ONCE):
            some = chosen[start : start + AT_ONCE]
            body = {"diamonds": as_stones([header, *some])}
            answer = service.post("/v1/predictions/batch", body, KEY)
            assert answer.status == 200
            for row, each in zip(some, answer.json["predictions"], strict=True):
                if chance.random() < 1 / 3:
                    price = round(float(row[price_at]) * RISE * chance.uniform(0.95, 1.05), 2)
                    ends = each["price_range"]
                    inside = ends["low"] <= price <= ends["high"]
                    paid[each["id"]] = (price, each["price"], inside)
        file = trained_home.parent / "paid.csv"
        with file.open("w", newline="") as target:
            lines = csv.writer(target)
            lines.writerow(["id", "price_paid"])
            lines.writerows((id, price) for id, (price, _, _) in paid.items())
        imported = json.loads(diamond(trained_home, "outcomes", "import", str(file), "--json",
                                      **settings).stdout)  # fmt: skip
        assert imported == {"kept": len(paid), "corrected": 0, "known": 0, "refused": []}
        watch(trained_home, settings)

        live = service.get(f"/v1/models/{champion}/live", KEY).json
        actual, predicted, inside = np.array(list(paid.values())).T
        errors = predicted - actual
        assert live["outcomes"] == len(paid) > STONES / 4
        assert live["mae"] == pytest.approx(np.abs(errors).mean())
        assert live["bias"] == pytest.approx(errors.mean())
        assert live["relative_bias"] == pytest.approx(errors.sum() / actual.sum())
        assert live["mape"] == pytest.approx((np.abs(errors) / actual).mean())
        assert live["coverage"] == pytest.approx(inside.mean())
        assert live["mae_low"] < live["mae"] < live["mae_high"]
        metrics = service.get("/metrics").body.decode()
        assert f'diamond_live_outcomes{{model="{champion}"}} {len(paid)}.0' in metrics
        assert 'diamond_drifted{field="bias"} 1.0' in metrics  # the market has moved
        drift = service.get("/v1/drift?since=24h", KEY).json
        assert [each["field"] for each in drift["fields"] if each["drifted"]] == []
        assert drift["requests"] + drift["repeated"] == STONES


def test_two_hundred_heavier_stones_are_noticed(trained_home, bundled_rows, url):
    settings = SETTINGS | {"DIAMOND_DATABASE_URL": url}
    header, *rows = bundled_rows
    chosen = random.Random(2).sample(rows, 200)
    with serving(trained_home, **settings) as service:
        for stone in as_stones([header, *chosen], factor=1.3):
            assert service.post("/v1/predictions", stone, KEY).status == 200
        watch(trained_home, settings)
        drift = service.get("/v1/drift?since=24h", KEY).json
        assert "carat" in [each["field"] for each in drift["fields"] if each["drifted"]]
        fresh = diamond(trained_home, "drift", "--since", "1h", "--json", **settings)
        assert json.loads(fresh.stdout)["drifted"]
