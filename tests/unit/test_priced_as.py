"""Which stones are priced, and at prices of when."""

import dataclasses

import pytest

from diamond_core.testing import a_card

LEVELS = (("2008-07-01", 0.8), ("2026-11-01", 1.0))


@pytest.mark.parametrize(
    ("since", "until", "levels", "expected"),
    [
        ("", "", (), "at the prices of the training data"),
        ("2008-07-01", "2008-07-01", (), "at 2008 prices"),
        (
            "2026-01-05",
            "2026-11-20",
            LEVELS,
            "at 2026 prices, from stones sold 2026-01-05 to 2026-11-20",
        ),
        (
            "2008-07-01",
            "2026-11-20",
            LEVELS,
            "at the level of 2026 prices, from stones sold 2008 to 2026",
        ),
        ("2025-12-01", "2026-01-02", (), "at 2025 to 2026 prices"),
    ],
)
def test_says_what_is_priced(since, until, levels, expected):
    data = dataclasses.replace(
        a_card().data, priced_since=since, priced_until=until, price_levels=levels
    )
    assert data.priced_as() == f"Round, natural, polished; {expected}."
