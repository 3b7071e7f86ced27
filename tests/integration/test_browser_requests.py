"""The pages of a service that needs keys: the record, the key itself, and what it opens."""

from __future__ import annotations

import pytest
from browser import home_with_report, visiting
from support import STONE, serving


@pytest.fixture(scope="module")
def guarded(trained_once, tmp_path_factory):
    """A service that needs a key, with some exchanges in its log."""
    home = home_with_report(trained_once, tmp_path_factory.mktemp("guarded"))
    with serving(home, DIAMOND_API_KEYS="admin:long-secret,till:other-secret") as running:
        till = {"X-API-Key": "other-secret"}
        for n in range(60):
            running.post("/v1/predictions", STONE | {"carat": 0.5 + n / 50}, till)
        for _ in range(5):
            running.post("/v1/predictions", STONE | {"carat": -1}, till)
            running.get("/v1/similar?carat=1&cut=Ideal&color=H&clarity=SI2", till)
        yield running


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_record_is_read_with_an_admin_key(browser, guarded, width, scheme):
    with visiting(browser, guarded.url, width, scheme) as visit:
        page = visit.open("/requests")
        page.get_by_label("API key").fill("long-secret")
        page.get_by_role("button", name="Use this key").click()
        page.get_by_text("50 exchanges, newest first").wait_for()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"requests-{scheme}")
        page.get_by_label("Status").fill("4xx")
        page.get_by_label("Path").fill("/v1/predictions")
        page.get_by_role("button", name="Show", exact=True).click()
        page.get_by_text("5 exchanges, newest first").wait_for()
        page.get_by_role("button", name="POST /v1/predictions").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text('"carat": -1').wait_for()
        assert "422" in dialog.inner_text()
        assert "till" in dialog.inner_text()
        assert "secret" not in dialog.inner_text()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"exchange-{scheme}")
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0


@pytest.mark.parametrize("width", [390, 1280])
def test_an_exchange_is_found_by_an_id_with_its_price_and_outcome(browser, guarded, width):
    till = {"X-API-Key": "other-secret"}
    body = {"diamonds": [STONE, STONE | {"carat": 4.9}]}
    batch = guarded.post("/v1/predictions/batch", body, till).json["predictions"]
    one = guarded.post("/v1/predictions", STONE, till).json
    guarded.post(f"/v1/predictions/{one['id']}/outcome", {"price_paid": one["price"]}, till)
    with visiting(browser, guarded.url, width) as visit:
        page = visit.open("/requests")
        page.get_by_label("API key").fill("long-secret")
        page.get_by_role("button", name="Use this key").click()
        page.get_by_label("Id", exact=True).fill(f" {one['id']} ")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("the same").wait_for()
        assert dialog.get_by_text(f"${one['price']:,.2f} on").count() == 1
        assert "depth, table" in dialog.inner_text()
        dialog.get_by_role("button", name="Why this price?").click()
        dialog.get_by_text("The typical stone costs $").wait_for()
        assert f"${one['price']:,.2f}" in dialog.locator(".why tbody tr:last-child").inner_text()
        assert visit.accessibility_violations() == []
        page.keyboard.press("Escape")
        page.get_by_label("Id", exact=True).fill(batch[0]["id"][:32])
        page.keyboard.press("Enter")
        dialog.get_by_text("2 prices").wait_for()
        assert dialog.locator("tbody tr").count() == 2
        dialog.get_by_role("button", name="4.9 ct, Ideal, H, SI2").click()
        shown = dialog.locator(".why tbody tr:last-child", has_text=f"${batch[1]['price']:,.2f}")
        shown.wait_for()
        page.keyboard.press("Escape")
        page.get_by_label("Id", exact=True).fill("")
        page.get_by_label("Key", exact=True).fill("nobody")
        page.get_by_role("button", name="Show", exact=True).click()
        page.get_by_text("No exchange matches").wait_for()


def test_a_key_is_asked_for_where_one_is_needed_and_forgotten_on_demand(browser, guarded):
    with visiting(browser, guarded.url) as visit:
        visit.expected = ["status of 40[13]"]
        page = visit.open("/?carat=1.1&cut=Ideal&color=H&clarity=SI2&n=5")
        page.get_by_label("API key").fill("wrong-secret")
        page.get_by_role("button", name="Use this key").click()
        page.get_by_text("This key is unknown.").wait_for()
        page.get_by_label("API key").fill("other-secret")
        page.get_by_role("button", name="Use this key").click()
        page.locator("#similar-table tbody tr:nth-child(5)").wait_for()
        visit.open("/requests")
        page.get_by_text("can't administer").wait_for()
        assert page.evaluate("localStorage.length + document.cookie.length") == 0
        visit.open("/models")
        page.get_by_role("link", name="Report of").click()
        page.get_by_role("heading", name="The report").wait_for()
        assert "secret" not in page.url
        visit.expected += ["Content Security Policy", "Fetch API"]
        visit.open("/models")
        page.evaluate("sessionStorage.setItem('diamond-certificate', '{}')")
        page.get_by_role("button", name="Forget key").click()
        page.get_by_label("API key").wait_for()
        assert page.evaluate("sessionStorage.length") == 0


def test_a_filter_that_can_not_be_used_is_named_beside_its_field(browser, guarded):
    with visiting(browser, guarded.url) as visit:
        visit.expected = ["status of 422"]
        page = visit.open("/requests?status=99")
        page.get_by_label("API key").fill("long-secret")
        page.get_by_role("button", name="Use this key").click()
        page.locator("#status-error", has_text="404").wait_for()
        page.get_by_label("Status").fill("200")
        page.get_by_role("button", name="Show", exact=True).click()
        page.locator("#exchanges tbody tr").first.wait_for()
        assert "status=200" in page.url
