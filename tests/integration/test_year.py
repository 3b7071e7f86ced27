"""A short year: weekly deliveries with all their faults, and runs that are killed."""

from __future__ import annotations

import pytest
from year import a_year, check_the_champions, check_the_store, mean_error, of_week, run_year

from diamond_app import open_home
from diamond_core import ModelId


@pytest.mark.timeout(600)
def test_a_year_of_deliveries_makes_the_product_better_and_loses_nothing(tmp_path):
    year = a_year(12, 250)
    settings = {"DIAMOND_HALF_LIFE": "2w", "DIAMOND_WINDOW": "3w"}
    done = run_year(
        tmp_path / "home", year, "--family", "linear", "--trials", "0", kills=2, **settings
    )
    home = open_home(tmp_path / "home")
    check_the_store(home, year)
    assert check_the_champions(home, done.champions) >= 1
    after = year.rise[1] + 3
    error = mean_error(home, done.champions[after], of_week(home, after))
    assert abs(error) < 0.05
    for id in {done.champions[0], done.champions[-1]}:
        again = home.reproduce_model(ModelId(id))
        assert (again.same, again.libraries) == (True, {})
