"""The page of the pipeline's runs, in a real Chromium against a real service."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import add

import pytest
from browser import visiting
from dependency_injector import providers
from support import serving
from wired import in_memory

from diamond_adapters.in_memory import InMemoryStoneSource
from diamond_adapters.pipeline_run_files import PipelineRunFiles
from diamond_core import DiamondTable, PipelineRun, SourceUnreadable, TrainingConfig
from diamond_core.models.pipeline_run import new_run_id
from diamond_core.testing import some_stones

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Missing:
    name = "incoming/2026-11-19.csv"

    def read(self):
        raise SourceUnreadable(self.name, "file not found")


def in_cents(table):
    """Return the stones with prices in cents: the gate holds them."""
    rows = table.rows.copy()
    rows["price"] *= 100
    return DiamondTable(rows)


def run_some(home):
    """Run the real pipeline a few times, its history in *home*; return the runs, newest first."""
    container = in_memory()
    container.pipeline_runs.override(providers.Object(PipelineRunFiles(home / "pipeline")))
    runs = container.pipeline_runs()
    first, more, wrong = some_stones(1500), some_stones(300, seed=1), some_stones(200, seed=2)
    old = datetime.now(UTC) - timedelta(days=2)
    runs.save(PipelineRun(id=new_run_id(old), started_at=old, by="cron"))
    known = [InMemoryStoneSource(first, "incoming/2026-11-20.csv")]
    added = [
        InMemoryStoneSource(more, "incoming/2026-11-21.csv"),
        InMemoryStoneSource(in_cents(wrong), "incoming/2026-11-22.csv"),
    ]
    for hours, sources in enumerate([known, known, [*known, Missing()], [*known, *added]]):
        # ids of the same second are in no order
        container.clock.override(providers.Object(partial(add, old, timedelta(hours=hours + 1))))
        container.run_pipeline()(sources, TrainingConfig(by="cron"))
    return runs.runs()


@pytest.fixture(scope="module")
def runs_and_service(trained_once, tmp_path_factory):
    home = tmp_path_factory.mktemp("pipeline") / "home"
    shutil.copytree(trained_once, home)
    runs = run_some(home)
    with serving(home, DIAMOND_API_KEYS="admin:long-secret") as running:
        yield runs, running


def enter_key(page):
    page.get_by_label("API key").fill("long-secret")
    page.get_by_role("button", name="Use this key").click()


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
)
def test_a_held_delivery_is_seen_and_compared_with_the_store(
    browser, runs_and_service, width, scheme
):
    runs, service = runs_and_service
    newest = runs[0]
    (held,) = newest.held
    with visiting(browser, service.url, width, scheme) as visit:
        page = visit.open("/pipeline")
        enter_key(page)
        last = page.locator("#last")
        last.get_by_text("trained 1 model on version").wait_for()
        assert "added 1 delivery with 300 new stones" in last.inner_text()
        assert "; 1 delivery is held." in last.inner_text()
        assert f"diamond data release {held['id']}" in last.inner_text()
        outcomes = page.locator("#runs tbody td:nth-child(2)").all_inner_texts()
        assert [each.split("\n")[-1] for each in outcomes] == [each.outcome for each in runs]
        assert visit.accessibility_violations() == []
        assert page.evaluate(OVERFLOW) <= 0
        visit.screenshot(f"pipeline-{scheme}")
        page.locator("#runs tbody button").first.click()
        dialog = page.get_by_role("dialog")
        assert dialog.locator("tbody tr").count() == len(newest.deliveries) == 3
        told = dialog.locator("details[open]").inner_text()
        assert held["reason"] in told
        assert f"diamond data release {held['id']}" in told
        level = held["levels"]["price"]["level"]
        assert f"Prices: {level:.3g} " in told
        for name in ("price", "carat"):
            wanted = sum(map(bool, held["levels"][name]["delivered"]))
            chart = dialog.locator("details[open] .pictures > div").nth(
                ["price", "carat"].index(name)
            )
            assert chart.locator(".columns.s1 rect").count() == wanted
            assert chart.locator(".columns.s0 rect").count() > 0
        box = dialog.locator("details[open] .chart-box").first
        box.focus()
        page.keyboard.press("Home")
        assert "% of the store" in box.locator(".tip").inner_text()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"pipeline-run-{scheme}")
        page.keyboard.press("Escape")
        assert box.locator(".tip").is_hidden()
        assert dialog.is_visible()
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")


def test_a_run_that_failed_says_why(browser, runs_and_service):
    runs, service = runs_and_service
    with visiting(browser, service.url) as visit:
        page = visit.open("/pipeline")
        enter_key(page)
        page.locator("#runs tbody tr", has_text="failed").get_by_role("button").click()
        dialog = page.get_by_role("dialog")
        assert "Cannot read incoming/2026-11-19.csv" in dialog.locator(".error").inner_text()
        page.get_by_role("button", name="Close").click()
        page.locator("#runs tbody tr", has_text="interrupted").click(position={"x": 5, "y": 5})
        assert "none" in dialog.inner_text()
        assert len(runs) == 5


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_an_empty_history_says_how_to_run_the_pipeline(browser, tmp_path_factory, width, scheme):
    home = tmp_path_factory.mktemp("empty") / "home"
    home.mkdir()
    with (
        serving(home, DIAMOND_API_KEYS="admin:long-secret,till:other-secret") as running,
        visiting(browser, running.url, width, scheme) as visit,
    ):
        visit.expected = ["status of 40[13]"]
        page = visit.open("/pipeline")
        page.get_by_label("API key").fill("other-secret")
        page.get_by_role("button", name="Use this key").click()
        page.get_by_text("can't administer").wait_for()
        assert page.locator("#record").is_hidden()
        enter_key(page)
        page.get_by_text("diamond pipeline run 'incoming/*.csv'").wait_for()
        assert page.locator("#history").is_hidden()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"pipeline-empty-{scheme}")
        runs = PipelineRunFiles(home / "pipeline")
        at = datetime.now(UTC)
        held = {"id": "3f9a1c22b7e0", "source": "a.csv", "rows": 9, "new": 0, "known": 0}
        held |= {"corrected": 0, "rejected": 9, "status": "held", "levels": {}}
        held |= {"reason": "9 of 9 rows (100%) are not usable"}
        for days, each in enumerate([held | {"status": "known", "reason": ""}, held]):
            day = at - timedelta(days=days + 1)
            outcome = "held" if days else "trained"
            run = PipelineRun(
                id=new_run_id(day), started_at=day, outcome=outcome, deliveries=(each,)
            )
            runs.save(run)
        for minutes in range(60):
            day = at - timedelta(days=3, minutes=minutes)
            runs.save(PipelineRun(id=new_run_id(day), started_at=day, outcome="nothing new"))
        runs.save(PipelineRun(id=new_run_id(at), started_at=at))
        page.reload()
        page.get_by_text("is running, or was interrupted.").wait_for()
        assert page.locator("#runs .badge").first.inner_text() == "running or interrupted"
        assert page.locator("#runs tbody tr").count() == 50
        page.get_by_role("button", name="Show more").click()
        page.locator("#runs tbody tr:nth-child(63)").wait_for()
        assert page.get_by_role("button", name="Show more").is_hidden()
        page.locator("#runs tbody tr:nth-child(3) button").click()
        told = page.get_by_role("dialog").inner_text()
        assert "9 of 9 rows (100%) are not usable" in told
        assert "It was released since." in told
        assert "diamond data release" not in told
        assert "too few stones" in told
        assert visit.accessibility_violations() == []
        visit.screenshot(f"pipeline-released-{scheme}")
