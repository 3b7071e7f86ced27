"""The page of drift, in a real Chromium against a real service."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from browser import visiting
from support import serving

from diamond_app import open_home
from diamond_app.responses import encode
from diamond_core import FIELDS, REQUIRED
from diamond_core.testing import an_exchange, an_outcome
from diamond_core.testing.samples import some_stones

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def enter_key(page):
    page.get_by_label("API key").fill("long-secret")
    page.get_by_role("button", name="Use this key").click()


def record(home):
    """Record requests of a week, for heavier stones, and compute their drift."""
    wired = open_home(home)
    now = datetime.now(UTC)
    for day in range(7):
        then = now - timedelta(hours=25 * day, minutes=1)
        for at, stone in enumerate(some_stones(40, seed=day)):
            values = {name: getattr(stone, name) for name in REQUIRED}
            values["carat"] = round(1.5 * stone.carat, 2)
            answer = {"id": f"{day}-{at}", "price": 9e3, "price_range": {"low": 8e3, "high": 1e4}}
            exchange = an_exchange(
                id=f"{int(then.timestamp() * 1e9):016x}{at:016x}",  # ids sort by time
                occurred_at=then,
                request_body=encode(values),
                response_body=encode(answer),
            )
            wired.request_log.append(exchange)
        wired.request_log.append(an_exchange(status=422, occurred_at=then))
    champion = wired.history.champion()
    wired.outcome_log.add(
        [
            an_outcome(
                number,
                model_id=champion,
                paid_on=now.date() - timedelta(days=number % 40),
                price_paid=4000.0 + 50 * (number % 20),
            )
            for number in range(120)
        ]
    )
    wired.watch_prices()
    wired.request_log.close()


@pytest.fixture(scope="module")
def service(trained_once, tmp_path_factory):
    home = tmp_path_factory.mktemp("monitoring") / "home"
    shutil.copytree(trained_once, home)
    record(home)
    with serving(home, DIAMOND_API_KEYS="admin:long-secret") as running:
        yield running


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
)
def test_shows_what_has_drifted_and_both_distributions(browser, service, width, scheme):
    with visiting(browser, service.url, width, scheme) as visit:
        page = visit.open("/monitoring")
        enter_key(page)
        page.get_by_text("Carat has drifted").wait_for()
        titles = page.locator("#fields h3").all_inner_texts()
        assert len(titles) == len(FIELDS) + 1
        assert "drifted" in titles[0]
        assert "drifted" not in titles[4]
        assert page.locator("#fields > div").first.locator(".bars line").count() >= 5
        assert page.locator("#days .columns.s0 rect").count() == 7
        assert page.locator("#days .columns.s1 rect").count() == 7
        assert "Unknown: 100% of the requests" in page.locator("#fields > div").nth(6).inner_text()
        assert visit.accessibility_violations() == []
        assert page.evaluate(OVERFLOW) <= 0
        visit.screenshot(f"monitoring-{scheme}")
        page.get_by_label("Requests of the last").select_option("24h")
        page.get_by_text("Nothing has drifted").wait_for()


def test_says_that_nothing_is_computed_yet(browser, trained_home):
    with (
        serving(trained_home, DIAMOND_API_KEYS="admin:long-secret") as service,
        visiting(browser, service.url) as visit,
    ):
        visit.expected.append("503")
        page = visit.open("/monitoring")
        enter_key(page)
        page.get_by_text("Nothing is computed yet").wait_for()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_models_shows_errors_against_prices_paid(browser, service, width):
    with visiting(browser, service.url, width) as visit:
        visit.expected.append("status of 401")
        page = visit.open("/models")
        enter_key(page)
        page.get_by_role("heading", name="Error against prices paid").wait_for()
        assert page.locator("#live-chart .intervals .dot").count() >= 6
        (row,) = page.locator("#live-table tbody tr").all()
        assert "120" in row.inner_text()
        assert page.evaluate(OVERFLOW) == 0
