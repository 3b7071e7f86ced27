"""The price page: other grades and weights, the price by weight, comparable stones, what is priced."""

from __future__ import annotations

import re

import pytest
from browser import visiting
from support import STONE

SEARCH = "/?carat=1.1&cut=Ideal&color=H&clarity=SI2"
RARE = "/?carat=1.1&cut=Fair&color=J&clarity=IF"


@pytest.fixture(params=[390, 1280])
def visit(request, browser, service):
    with visiting(browser, service.url, request.param) as one:
        yield one


@pytest.fixture
def desk(browser, service):
    with visiting(browser, service.url) as one:
        yield one


def ladder(service, query=SEARCH):
    return service.get(f"/v1/ladder{query[1:]}").json


def dollars(amount):
    return f"${amount:,.0f}"


def test_shows_other_grades_and_weights(visit, service):
    page = visit.open(SEARCH)
    found = ladder(service)
    grades = page.get_by_role("region", name="Price with other grades")
    grades.locator("tbody tr:nth-child(3)").wait_for()
    shown = grades.inner_text()
    steps = [step for pair in found["grades"].values() for step in pair.values() if step]
    for step in steps:
        assert step["value"] in shown
        assert dollars(step["price"]) in shown
    weights = page.get_by_role("region", name="Price at other weights").locator("tbody tr")
    assert [row.split()[0] for row in weights.all_inner_texts()] == [
        f"{each['value']:.2f}" for each in found["weights"]
    ]
    for row, each in zip(weights.all_inner_texts(), found["weights"], strict=True):
        assert dollars(abs(round(each["jump"]))) in row
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    assert visit.accessibility_violations() == []
    visit.screenshot("what-if")


def test_a_click_prices_the_other_stone(desk, service):
    measured = "&depth=61.5&x=6.6&y=6.64&z=4.07"
    found = ladder(service, SEARCH + measured)
    page = desk.open(f"{SEARCH}{measured}&n=3")
    page.get_by_role("link", name="1.50 ct").click()
    expected = found["weights"][-1]
    page.locator("#answer").get_by_text(dollars(expected["price"]), exact=True).wait_for()
    assert page.get_by_label("Carat").input_value() == "1.5"
    assert float(page.get_by_label("Length x").input_value()) == pytest.approx(
        expected["diamond"]["x"], abs=1e-4
    )
    assert "n=3" in page.url
    page.go_back()
    page.get_by_role("link", name="SI1", exact=True).focus()
    page.keyboard.press("Enter")
    better = found["grades"]["clarity"]["up"]["price"]
    page.locator("#answer").get_by_text(dollars(better), exact=True).wait_for()


def test_draws_the_price_by_weight_with_its_range_and_the_comparable_stones(desk):
    page = desk.open(f"{SEARCH}&n=7")
    page.locator("#scatter svg").wait_for()
    counts = {".band path": 1, ".line path": 1, ".dots path": 7, ".intervals .dot": 1}
    for mark, count in counts.items():
        assert page.locator(f"#scatter svg {mark}").count() == count
    legend = page.locator("#scatter .legend").inner_text()
    for words in ("Price range", "Predicted price", "Similar stones", "This stone"):
        assert words in legend
    assert "neighbouring" not in legend


def test_says_beside_the_price_what_is_priced_and_what_others_sold_for(desk, service):
    page = desk.open(SEARCH)
    page.locator("#compared p").first.wait_for()
    found = ladder(service)["comparables"]
    assert page.locator("#compared").inner_text() == found["sentence"]
    price, note = (page.locator(name).bounding_box() for name in (".price", "#data-note"))
    assert price["y"] <= note["y"] + note["height"] / 2 <= price["y"] + price["height"]
    data = service.get("/v1/models/champion").json["data"]
    assert page.locator("#data-note").inner_text() == data["priced_as"]


def test_warns_if_comparable_stones_contradict_the_price(desk):
    def contradicting(route):
        answer = route.fetch().json()
        answer["comparables"] |= {"agrees": False, "warning": "They disagree."}
        route.fulfill(json=answer)

    desk.page.route("**/v1/ladder*", contradicting)
    page = desk.open(SEARCH)
    page.locator("#compared .notice").wait_for()
    assert "They disagree." in page.locator("#compared .notice").inner_text()
    assert desk.accessibility_violations() == []


def test_offers_neighbouring_grades_where_there_are_few_stones(visit, service):
    page = visit.open(f"{RARE}&n=6")
    exact = service.get(f"/v1/similar{RARE[1:]}&n=6").json
    assert exact["count"] < 6
    page.get_by_role("button", name="Add stones of neighbouring grades").click()
    page.locator("#similar-table tbody tr:nth-child(6)").wait_for()
    assert "grades=near" in page.url
    assert page.get_by_label("Neighbouring grades too").is_checked()
    near = service.get(f"/v1/similar{RARE[1:]}&n=6&grades=near").json
    prices = page.locator("#similar-table tbody td:nth-child(3)").all_inner_texts()
    assert prices == [dollars(stone["price"]) for stone in near["diamonds"]]
    cuts = page.locator("#similar-table tbody td:nth-child(5)").all_inner_texts()
    assert cuts == [stone["cut"] for stone in near["diamonds"]]
    page.locator("#scatter .legend", has_text="Stones of neighbouring grades").wait_for()
    assert re.search(r"nearest in price terms", page.locator("#similar-said").inner_text())
    assert visit.accessibility_violations() == []
    visit.screenshot("near-grades")
    page.reload()
    page.locator("#similar-table tbody tr:nth-child(6)").wait_for()


def test_the_price_does_not_need_the_ladder(desk, service):
    desk.expected = ["status of 503"]
    desk.page.route("**/v1/ladder*", lambda route: route.fulfill(status=503, json={"status": 503}))
    page = desk.open(f"{SEARCH}&n=4")
    page.locator("#scatter .dots path").nth(3).wait_for()
    price = service.post("/v1/predictions", STONE).json["price"]
    assert dollars(price) == page.locator("#answer .price").inner_text()
    assert page.locator("#scatter .line path").count() == 0
