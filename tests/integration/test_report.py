"""The report of a training: one page, whole and harmless whatever the data says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from browser import visiting
from reports import EVIL, Page
from support import diamond

from diamond_adapters.report import write_report
from diamond_adapters.report.importance import permutation_importance
from diamond_core import (
    DataSummary,
    DiamondTable,
    Evaluation,
    RawStones,
    RejectedRow,
    ReportInput,
    clean,
    compare,
)
from diamond_core.testing import FormulaModel, a_card, some_stones

HOLDOUT = some_stones(400, seed=1)
TRIALS = [{"number": n, "cross_validated_mae": 400.0 - n} for n in range(30)]

PRUNED = {
    "number": 30,
    "cross_validated_mae": 1.0,
    "state": "pruned",
    "parameters": {"rate": 0.123456, "depth": 6},
}


class CountingModel(FormulaModel):
    """A model that counts the stones it has priced."""

    def __init__(self):
        super().__init__()
        self.priced = 0

    def price(self, stones):
        prices = super().price(stones)
        self.priced += len(prices)
        return prices


def evaluation(holdout=HOLDOUT, factor=1.0):
    prices = FormulaModel(factor).price(holdout)
    return Evaluation.of(holdout, prices, a_card().price_ranges)


def training(holdout=HOLDOUT, rejected=(), champion=None, model=None, **card):
    return ReportInput(
        card=a_card(**{"coverage_by_quintile": (0.9,) * 5} | card),
        model=model or FormulaModel(),
        stones=some_stones(300),
        evaluation=evaluation(holdout),
        champion=champion,
        rejected=rejected,
    )


def of_champion(factor):
    champion = evaluation(factor=factor)
    return {"champion": champion, "comparison": compare("old-1", champion, evaluation())}


def layer(chart, mark):
    (found,) = [each for each in chart["layers"] if each["mark"] == mark]
    return found


def test_asks_for_nothing_from_elsewhere():
    page = write_report(training(**of_champion(1.2)))
    found = Page(page)
    assert found.addresses == []
    assert not {"link", "img", "iframe", "object"} & set(found.tags)
    names = page.replace(b"http://www.w3.org/2000/svg", b"")  # a name, which nobody loads
    assert not re.search(rb"https?:|url\(|@import|\bimport\b|\bexport ", names)
    assert len(page) < 150_000


def test_has_every_section():
    candidates = [{"name": "plain", "cross_validated_mae": 310.5}]
    text = Page(
        write_report(training(details={"candidates": candidates, "trials": TRIALS, "depth": 6}))
    ).text
    for words in (
        *("Accuracy", "Errors by price and grade", "Coverage of the price ranges"),
        *(
            "Cheaper for better",
            "Feature importance",
            "Model selection",
            "Training data",
            "Rejected rows",
        ),
        *("formula-1", "plain", "310.50", '"depth": 6', "Very Good", "VVS1"),
    ):
        assert words in text


def test_shows_every_trial_and_no_pruned_one_as_a_candidate():
    page = Page(write_report(training(details={"trials": [*TRIALS, PRUNED]})))
    chart = page.chart("tuning trial")
    points = layer(chart, "dots")["points"]
    assert [point["hollow"] for point in points] == [False] * 30 + [True]
    assert points[-1]["text"] == "trial 30 (rate 0.1235, depth 6): 1.00 USD"
    assert layer(chart, "line")["y"] == [*(400.0 - n for n in range(30)), 371.0]
    assert re.search(r"trial 30 *rate 0.1235, depth 6 *pruned *1.00", page.text)
    candidates = page.text.partition("cross-validated MAE")[2]
    assert re.findall(r"trial \d+ +\d+\.\d+", candidates)[0] == "trial 29 371.00"
    assert "The best 12 of 30." in candidates
    assert "trial 30" not in candidates


def test_charts_count_every_stone():
    page = Page(write_report(training(rejected=[])))
    prices = layer(page.chart("Predicted over actual"), "cells")
    assert sum(count for _, _, count in prices["cells"]) == len(HOLDOUT)
    assert max(max(column, row) for column, row, _ in prices["cells"]) < prices["across"]
    for what in ("price, USD", "weight, carat"):
        assert sum(layer(page.chart(f"stones by {what}"), "columns")["values"]) == 300
    errors = page.chart("Relative errors")
    wide, narrow = [each for each in errors["layers"] if each["mark"] == "band"]
    assert all(a <= b for a, b in zip(wide["low"], narrow["low"], strict=True))
    assert all(a >= b for a, b in zip(wide["high"], narrow["high"], strict=True))


def test_every_chart_has_its_numbers_in_a_table():
    page = write_report(training(details={"trials": TRIALS})).decode()
    figures = re.findall(
        r"<figure>.*?</figure>(?:\s*<div class=\"scroll\".*?</table>)?", page, re.DOTALL
    )
    assert len(figures) == len(Page(page.encode()).charts) == 11
    assert all("</table>" in figure for figure in figures)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.3, "USD lower than the champion at that time, old-1"),
        (1.0, "No significant difference in MAE from the champion at that time, old-1"),
        (None, "There was no champion to compare with"),
    ],
)
def test_says_how_it_does_against_the_champion(factor, words):
    champion = {} if factor is None else of_champion(factor)
    text = Page(write_report(training(**champion))).text
    assert words in text
    assert not re.search(r"-\d[\d.,]* (USD|to)", text)  # a lower error is said, not signed


def test_says_when_it_is_worse_than_the_champion():
    champion = evaluation(factor=1.0)
    worse = compare("old-1", champion, evaluation(factor=1.3))
    text = Page(write_report(training(champion=champion, comparison=worse))).text
    assert f"MAE {worse.difference:,.2f} USD higher than the champion" in text
    assert f"{worse.low:,.2f} to {worse.high:,.2f} USD higher" in text


def test_breaks_the_errors_down_with_and_without_a_champion():
    alone = Page(write_report(training()))
    assert "champion MAE" not in alone.text
    beside = Page(write_report(training(**of_champion(1.2))))
    assert beside.text.count("champion MAE difference") == 4  # by price band and by three grades
    errors = np.abs(FormulaModel(1.2).price(HOLDOUT) - HOLDOUT.price)
    ideal = errors[HOLDOUT.column("cut") == 4].mean()
    assert re.search(rf"Ideal \d+ .*? {ideal:,.0f} ", beside.text)


def test_prices_the_hold_out_for_the_importance_alone():
    model = CountingModel()
    write_report(training(model=model))
    priced = model.priced
    permutation_importance(model, HOLDOUT)
    assert model.priced == 2 * priced


def test_names_the_command_that_repeats_the_training_where_there_is_one():
    page = Page(write_report(training(), "diamond train --family x --source 'a<b'"))
    assert "diamond train --family x --source 'a<b'" in page.text
    assert "diamond train" not in Page(write_report(training())).text
    assert "Repeat the training" not in Page(write_report(training())).text


def test_counts_reasons_by_kind():
    good = {
        "carat": "1.1",
        "cut": "Ideal",
        "color": "H",
        "clarity": "SI2",
        "price": "5000",
        "depth": "61.5",
        "x": "6.6",
        "y": "6.6",
        "z": "4.06",
    }
    bad = [
        {"depth": "30.3"},
        {"depth": "9"},
        {"carat": "x", "cut": "Idol"},
        {"carat": "0"},
        {"carat": ""},
    ]
    rows = [good | changes for changes in bad]
    columns = {name: [row[name] for row in rows] for name in good}
    rejected = clean(RawStones("b.csv", columns, range(2, 7))).rejected
    assert len(rejected) == 5
    text = Page(
        write_report(training(rejected=[RejectedRow(1, ("odd",), "a.csv"), *rejected]))
    ).text
    assert "6 rows were rejected" in text
    for kind in (
        "depth ... % contradicts x, y and z: the height is ... % of the mean diameter; check the four numbers 2",
        "carat must be the weight in carats, a number from 0.001 to 1000 2",
        "carat is missing: give the weight in carats, a number from 0.001 to 1000 1",
        "cut must be one of Fair, Good, Very Good, Premium, Ideal (worst to best) 1",
    ):
        assert kind in text
    assert "not 'Idol'" in text  # among the first rows
    assert "b.csv" in text


def hostile():
    """Return a report all of whose words are markup that would run a script."""
    data = DataSummary(
        source=EVIL, digest=EVIL, rows=1, rejected=1, training_rows=1, holdout_rows=1
    )
    trials = [
        {"name": EVIL, "cross_validated_mae": 1.0 + n, "parameters": {EVIL: EVIL}} for n in range(2)
    ]
    rejected = [RejectedRow(1, (EVIL,), EVIL), RejectedRow(2, (EVIL,), "other")]
    details = {"trials": trials, EVIL: EVIL}
    champion = evaluation(factor=1.2)
    comparison = compare(EVIL, champion, evaluation())
    card = {"data": data, "details": details, "family": EVIL, "version": EVIL}
    report = training(rejected=rejected, champion=champion, comparison=comparison, **card)
    object.__setattr__(report.card, "id", EVIL)  # no ModelId can be that
    return write_report(report, EVIL)


def test_runs_nothing_that_the_data_brings():
    page = hostile()
    found = Page(page)
    assert found.tags.count("script") == len(found.charts) + 1
    assert "img" not in found.tags
    assert found.text.count("alert(1)") >= 12
    points = layer(found.chart("tuning trial"), "dots")["points"]
    assert points[0]["text"] == f"{EVIL} ({EVIL} {EVIL}): 1.00 USD"
    assert page.count(b"</script") == len(found.charts) + 1
    assert b"<!--" not in page


@pytest.mark.parametrize("count", [1, 2, 9])
def test_is_written_for_however_few_stones(count):
    few = HOLDOUT[:count]
    page = write_report(training(holdout=few, coverage_by_quintile=(1.0,) * min(count, 5)))
    assert "nan" not in Page(page).text


@pytest.mark.parametrize("field", ["price", "carat"])
def test_is_written_for_stones_that_are_all_alike(field):
    rows = HOLDOUT.rows_of_today()
    rows[field] = 1.0
    Page(write_report(training(holdout=DiamondTable(rows).four_cs())))


@pytest.mark.parametrize(
    "details",
    [
        {"candidates": "none", "trials": 7},
        {"candidates": [1, {}, {"cross_validated_mae": float("nan")}]},
        {"trials": [{"cross_validated_mae": "x"}], "other": {"deep": [1, None]}},
        {"trials": [PRUNED, PRUNED]},
    ],
)
def test_is_written_whatever_details_a_family_gives(details):
    Page(write_report(training(details=details)))


def test_finds_what_a_model_relies_on():
    found = permutation_importance(FormulaModel(), HOLDOUT)
    assert next(iter(found)) == "carat"
    assert found["depth"] == found["table"] == found["x, y and z"] == 0.0
    assert min(found["cut"], found["color"], found["clarity"]) > 0


def test_stands_beside_the_model_and_is_found_by_the_command(trained_once):
    shown = diamond(trained_once, "models", "show", "champion").stdout
    (path,) = re.findall(r"\S+/report\.html", shown)
    assert path.startswith(str(trained_once))
    assert "linear" in Page(Path(path).read_bytes()).text
    card = json.loads(diamond(trained_once, "models", "show", "champion", "--json").stdout)
    assert "report.html" in card["files"]


@pytest.fixture
def saved(tmp_path):
    """A function that saves a report and returns its address on disk."""

    def save(page):
        (tmp_path / "report.html").write_bytes(page)
        return (tmp_path / "report.html").as_uri()

    return save


FULL = {"details": {"trials": [*TRIALS, PRUNED]}, "rejected": [RejectedRow(1, ("odd",), "a.csv")]}


def test_draws_every_chart_from_the_file_alone(browser, saved):
    content = write_report(training(**FULL))
    charts = Page(content).charts
    with visiting(browser, saved(content)) as visit:
        loaded = []
        visit.page.on("request", lambda request: loaded.append(request.url))
        page = visit.open("")
        assert loaded == [visit.url]
        assert page.locator("figure svg.chart[role=img]").count() == len(charts)
        layers = [each for chart in charts for each in chart.get("layers", [])]
        for mark, part, wanted in [
            ("cells", "rect", sum(len(each.get("cells", [])) for each in layers)),
            ("columns", "rect", sum(np.count_nonzero(each.get("values", [])) for each in layers)),
            ("band", "path", 2),
            ("line", "path", sum(each["mark"] == "line" for each in layers)),
            ("dots", "path", 31),
            ("bars", "rect", sum(len(chart.get("rows", [])) for chart in charts)),
        ]:
            assert page.locator(f"svg .{mark} {part}").count() == wanted, mark
        assert page.locator("svg .dots .hollow").count() == 1
        assert "NaN" not in "".join(
            page.locator("svg").evaluate_all("all => all.map(s => s.outerHTML)")
        )


@pytest.mark.parametrize(
    "report",
    [
        training(holdout=HOLDOUT[:1], coverage_by_quintile=(1.0,)),
        training(coverage_by_quintile=()),
        training(details={"trials": [PRUNED, PRUNED]}),
    ],
    ids=["one stone", "no coverage", "pruned trials only"],
)
def test_draws_what_there_is(browser, saved, report):
    with visiting(browser, saved(write_report(report))) as visit:
        page = visit.open("")
        assert page.locator("svg.chart").count() == page.locator("figure").count() >= 9
        assert "NaN" not in page.locator("main").inner_html()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_no_violation_and_no_width_is_too_small(browser, saved, width, scheme):
    with visiting(browser, saved(write_report(training(**FULL))), width, scheme) as visit:
        page = visit.open("")
        assert visit.accessibility_violations() == []
        for summary in page.locator("figure summary").all():
            summary.click()
        assert visit.accessibility_violations() == []
        visit.screenshot(f"report-{scheme}")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0


def test_the_arrow_keys_tell_the_points_of_a_chart(browser, saved):
    with visiting(browser, saved(write_report(training(**FULL)))) as visit:
        figure = visit.open("").locator("figure", has_text="Error of each trial")
        figure.locator(".chart-box").focus()
        visit.page.keyboard.press("End")
        assert figure.locator(".tip").inner_text() == "trial 30 (rate 0.1235, depth 6): 1.00 USD"
        assert figure.locator(".lit.hollow").count() == 1
        visit.page.keyboard.press("Escape")
        assert figure.locator(".tip").is_hidden()


def test_prints_every_chart_on_white_paper(browser, saved):
    with visiting(browser, saved(write_report(training(**FULL))), scheme="dark") as visit:
        page = visit.open("")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.emulate_media(media="print")
        printed = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark != printed, printed) == (True, "rgb(255, 255, 255)")
        assert all(chart.is_visible() for chart in page.locator("svg.chart").all())
        sides = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
        assert 3 <= len(sides) <= 8


def test_without_javascript_says_so_and_has_the_numbers(browser, saved):
    content = write_report(training(**FULL))
    with visiting(browser, saved(content), javascript=False) as visit:
        page = visit.open("")
        assert page.locator("noscript .notice", has_text="The charts need JavaScript").is_visible()
        assert page.locator("svg").count() == 0
        figure = page.locator("figure", has_text="Error of each trial")
        figure.locator("summary").click()
        assert figure.locator("tbody tr").count() == 31
        assert figure.locator("tbody tr").last.is_visible()


def test_runs_nothing_of_the_data_in_a_browser(browser, saved):
    with visiting(browser, saved(hostile())) as visit:
        asked = []
        visit.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        page = visit.open("")
        assert page.locator("h1").inner_text() == EVIL
        assert page.locator("svg.chart").count() == len(Page(hostile()).charts)
        assert page.locator("img").count() == 0
        assert asked == []


def test_draws_its_charts_under_the_policy_of_the_service(browser, service):
    with visiting(browser, service.url) as visit:
        page = visit.open("/models")
        page.get_by_role("link", name="Report of").click()
        page.locator("figure svg.chart").first.wait_for()
        assert page.locator("figure svg.chart").count() == page.locator("figure").count() >= 10
        assert page.evaluate("origin") == "null"
