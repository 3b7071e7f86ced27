"""The chart program in a real Chromium: its scales, and the charts that can be made of its marks."""

from __future__ import annotations

import re

import pytest

from diamond_adapters.charts import FOLDER, script

WEEK = 7 * 86_400_000
PRICE = {"low": 0, "high": 10_000, "format": "usd", "title": "Price, USD"}
TIME = {"low": 0, "high": 10 * WEEK, "kind": "time", "title": ""}


@pytest.fixture
def page(browser):
    """An empty page that has loaded the program; no error may have happened in the end."""
    one = browser.new_page(
        viewport={"width": 600, "height": 500}, locale="en-US", timezone_id="UTC"
    )
    errors = []
    one.on("pageerror", lambda error: errors.append(str(error)))
    style = (FOLDER / "base.css").read_text()
    program = (
        f"{script('plot.js', 'bars.js')}\nwindow.program = {{ bars, plot, scale, ticks, words }};"
    )
    one.set_content(f"<style>{style}</style><main></main><script type='module'>{program}</script>")
    one.wait_for_function("window.program")
    yield one
    one.close()
    assert errors == []


def draw(page, kind, **data):
    page.evaluate(
        "([kind, data]) => { program[kind](document.querySelector('main'), data); }", [kind, data]
    )
    assert "NaN" not in page.locator("svg").evaluate("chart => chart.outerHTML")
    return page.locator("svg")


def walked(page, count):
    """Return what the first *count* points of the chart tell."""
    page.locator(".chart-box").focus()
    told = []
    for _ in range(count):
        page.keyboard.press("ArrowRight")
        told.append(page.locator(".tip").inner_text())
    return told


def test_is_one_script_of_every_module_that_it_needs():
    text = script("bars.js", "plot.js")
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    assert not re.search(r"</script|<!--", text, re.IGNORECASE)
    for module in FOLDER.glob("*.js"):
        opening = module.read_text().partition("\n")[0]
        assert text.count(opening) == 1, module.name
    assert "function bars" not in script("plot.js")


@pytest.mark.parametrize("kind", ["linear", "log"])
@pytest.mark.parametrize(
    ("low", "high"), [(0.5, 2), (326, 18823), (0.2, 5.01), (7, 9e6), (101, 140)]
)
def test_marks_a_few_round_values_inside_the_axis(page, low, high, kind):
    axis = {"low": low, "high": high, "kind": kind}
    found = page.evaluate(
        """(axis) => {
            const place = program.scale(axis, 0, 100);
            return program.ticks(axis, 7).map((tick) => [tick, place(tick)]);
        }""",
        axis,
    )
    assert 2 <= len(found) <= 8
    ticks, places = zip(*found, strict=True)
    assert all(low <= tick <= high and float(f"{tick:.3g}") == tick for tick in ticks)
    assert list(places) == sorted(set(places))
    assert 0 <= places[0] < places[-1] <= 100


def test_moves_what_lies_outside_to_the_edge(page):
    places = "values => values.map(program.scale({low: 1, high: 100, kind: 'log'}, 10, 30))"
    assert page.evaluate(places, [0.5, 1, 10, 100, 1e9]) == [10, 10, 20, 30, 30]


def test_is_drawn_again_for_another_width(page):
    points = [{"x": 1000, "y": 5000, "text": "a stone"}]
    chart = draw(
        page, "plot", label="?", x=PRICE, y=PRICE, layers=[{"mark": "dots", "points": points}]
    )
    assert int(chart.get_attribute("width")) > 500
    page.set_viewport_size({"width": 320, "height": 500})
    page.wait_for_function("document.querySelector('svg').getAttribute('width') <= 320")
    assert chart.locator(".dot").count() == 1


def test_can_show_how_two_distributions_drifted(page):
    layers = [
        {"mark": "columns", "name": "Training", "values": [1, 4, 3, 0]},
        {
            "mark": "columns",
            "name": "Requests",
            "series": 1,
            "values": [0, 2, 5, 1],
            "noun": "request",
        },
    ]
    y = {"low": 0, "high": 6, "format": "number", "title": "Share"}
    chart = draw(page, "plot", label="Drift of the price", x=PRICE, y=y, layers=layers)
    assert (
        chart.locator(".columns.s0 rect").count() == chart.locator(".columns.s1 rect").count() == 3
    )
    assert page.locator(".legend li").all_inner_texts() == ["Training", "Requests"]
    told = walked(page, 6)
    assert (told[0], told[-1]) == ("$0 to $2,500: 1 stone", "$7,500 to $10,000: 1 request")


def test_can_show_the_live_error_by_week_with_its_uncertainty(page):
    weeks = [n * WEEK for n in range(1, 10)]
    maes = [240.0 + n for n in range(9)]
    low, high = [mae - 20 for mae in maes], [mae + 20 for mae in maes]
    points = [{"x": WEEK, "y": 250, "low": 200, "high": 300, "text": "one week", "ringed": True}]
    layers = [
        {"mark": "band", "name": "95% confidence interval", "x": weeks, "low": low, "high": high},
        {"mark": "line", "name": "MAE", "x": weeks, "y": maes, "walk": True},
        {"mark": "intervals", "series": 1, "points": points},
    ]
    y = {"low": 150, "high": 350, "format": "usd", "title": "MAE, USD"}
    chart = draw(page, "plot", label="Live error", x=TIME, y=y, layers=layers, ring="Promotion")
    assert chart.locator(".band path, .line path, .intervals .dot").count() == 3
    assert page.locator(".legend li").all_inner_texts() == [
        "95% confidence interval",
        "MAE",
        "Promotion",
    ]
    assert walked(page, 10)[8:] == ["MAE at Mar 5: $248", "one week"]


def test_can_show_a_ladder_of_prices(page):
    rows = [
        {"label": grade, "value": price, "text": f"${price:,}", "mark": 4639}
        for grade, price in [("SI1", 5100), ("SI2", 4639), ("I1", 3300)]
    ]
    chart = draw(page, "bars", label="Price by clarity", rows=rows, mark="This stone")
    widths = [
        float(each)
        for each in chart.locator("rect").evaluate_all(
            "all => all.map(r => r.getAttribute('width'))"
        )
    ]
    assert widths[0] > widths[1] > widths[2] > 1
    assert len({each.get_attribute("x1") for each in chart.locator("line").all()}) == 1
    assert walked(page, 2) == ["SI1: $5,100", "SI2: $4,639"]


def test_the_nearest_point_answers_to_the_pointer(page):
    points = [{"x": x, "y": 5000, "text": f"at {x}"} for x in (9000, 1000)]
    chart = draw(
        page, "plot", label="?", x=PRICE, y=PRICE, layers=[{"mark": "dots", "points": points}]
    )
    chart.locator(".dot").first.hover()
    assert page.locator(".tip").inner_text() == "at 9000"
    assert page.locator(".dot.lit").count() == 1
    page.mouse.move(0, 0)
    assert page.locator(".tip").is_hidden()
    assert page.locator(".dot.lit").count() == 0
