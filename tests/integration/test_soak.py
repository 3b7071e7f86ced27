"""Twenty seconds of what a service lives through: ``benchmarks/soak.py`` does it for ten minutes."""

from __future__ import annotations

import json

from load import ALL_WELL
from mariadb import fresh_database
from soak import soak
from support import diamond, serving

SECONDS = 20.0


def test_nothing_fails_and_nothing_is_lost(trained_home, small_csv, own_mariadb):
    diamond(trained_home, "train", str(small_csv), "--family", "linear", "--force")
    cards = json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    models = [card["id"] for card in cards]
    with (
        fresh_database(own_mariadb.url) as url,
        serving(trained_home, workers=2, DIAMOND_DATABASE_URL=url) as service,
    ):
        found = soak(
            service,
            trained_home,
            own_mariadb,
            url,
            models,
            seconds=SECONDS,
            rate=60.0,
            promote_every=SECONDS / 6,
            away_from=SECONDS / 3,
            away_until=SECONDS / 2,
        )
    assert found.unexpected == 0, found.answers
    assert found.record == ALL_WELL
    assert found.answers.total() == SECONDS * 60
    assert found.promotions >= 4
