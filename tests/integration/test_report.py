"""The report of a training: one page, whole and harmless whatever the data says."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from support import diamond

from diamond_adapters.report import write_report
from diamond_adapters.report.importance import permutation_importance
from diamond_adapters.report.scales import Scale
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
VOID = {"meta", "br", "line", "rect", "circle", "polyline", "polygon"}

PRUNED = {
    "number": 30,
    "cross_validated_mae": 1.0,
    "state": "pruned",
    "parameters": {"rate": 0.123456, "depth": 6},
}


class Page(HTMLParser):
    """Notes tags, texts and addresses, and checks that what is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.addresses, self.text = [], [], [], ""
        self.feed(page.decode())
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [
            value for name, value in attrs if name in ("src", "href", "action", "style")
        ]
        self.addresses += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


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


def test_asks_for_nothing_from_elsewhere():
    page = write_report(training(**of_champion(1.2)))
    found = Page(page)
    assert found.addresses == []
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert not re.search(rb"https?:|url\(|@import", page)
    assert len(page) < 500_000


def test_has_every_section():
    candidates = [{"name": "plain", "cross_validated_mae": 310.5}]
    trials = [{"number": n, "cross_validated_mae": 400.0 - n} for n in range(30)]
    text = Page(
        write_report(training(details={"candidates": candidates, "trials": trials, "depth": 6}))
    ).text
    for words in (
        *(
            "How close the prices are",
            "Where the errors are",
            "How far the price range can be trusted",
        ),
        *("What it relies on", "How it was chosen", "What it learned from", "Rows left out"),
        *("formula-1", "plain", "310.50", '"depth": 6', "Very Good", "VVS1"),
    ):
        assert words in text
    page = write_report(training(details={"trials": [*trials, PRUNED]}))
    assert page.count(b"<circle") == 31
    assert page.count(b'dot pruned"') == 1
    assert b"trial 30 (rate 0.1235, depth 6): 1.00 USD" in page
    assert b">1.00<" not in page  # a trial that was stopped early is no candidate


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.3, "lower than that of the champion of that day"),
        (1.0, "by no more than noise"),
        (None, "no champion to compare"),
    ],
)
def test_says_how_it_does_against_the_champion(factor, words):
    champion = {} if factor is None else of_champion(factor)
    assert words in Page(write_report(training(**champion))).text


def test_says_when_it_is_worse_than_the_champion():
    champion = evaluation(factor=1.0)
    worse = compare("old-1", champion, evaluation(factor=1.3))
    text = Page(write_report(training(champion=champion, comparison=worse))).text
    assert f"Its MAE is ${worse.difference:,.2f} higher than that of the champion" in text


def test_breaks_the_errors_down_with_and_without_a_champion():
    alone = Page(write_report(training()))
    assert "champion $" not in alone.text
    beside = Page(write_report(training(**of_champion(1.2))))
    assert beside.text.count("champion $ change $") == 4  # by price band and by three grades
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
    assert "Repeat" not in Page(write_report(training())).text


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
    assert "6 rows could not be used" in text
    for kind in (
        "depth ... % contradicts x, y and z: the height is ... % of the mean diameter; check the four numbers 2",
        "carat must be the weight in carats, a number from 0.001 to 1000 2",
        "carat is missing: give the weight in carats, a number from 0.001 to 1000 1",
        "cut must be one of Fair, Good, Very Good, Premium, Ideal (worst to best) 1",
    ):
        assert kind in text
    assert "not 'Idol'" in text  # among the first rows
    assert "b.csv" in text


def test_runs_nothing_that_the_data_brings():
    evil = "</style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    data = DataSummary(source=evil, digest="0", rows=1, rejected=1, training_rows=1, holdout_rows=1)
    details = {"candidates": [{"name": evil, "cross_validated_mae": 1.0}], evil: evil}
    rejected = [RejectedRow(1, (evil,), evil), RejectedRow(2, (evil,), "other")]
    found = Page(write_report(training(data=data, details=details, rejected=rejected)))
    assert not {"script", "img"} & set(found.tags)
    assert found.text.count("alert(1)") >= 6


@pytest.mark.parametrize("count", [1, 2, 9])
def test_is_written_for_however_few_stones(count):
    few = HOLDOUT[:count]
    page = write_report(training(holdout=few, coverage_by_quintile=(1.0,) * min(count, 5)))
    assert b"nan" not in page


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


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (326, 18823), (0.2, 5.01), (7, 9e6)])
def test_marks_a_few_values_inside_the_scale(low, high, log):
    scale = Scale.of([low, high], 0, 100, log=log)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(-0.1 <= scale(tick) <= 100.1 for tick in ticks)
    assert np.all(np.diff(ticks) > 0)


def test_stands_beside_the_model_and_is_found_by_the_command(trained_once):
    shown = diamond(trained_once, "models", "show", "champion").stdout
    (path,) = re.findall(r"\S+/report\.html", shown)
    assert path.startswith(str(trained_once))
    assert "linear" in Page(Path(path).read_bytes()).text
    card = json.loads(diamond(trained_once, "models", "show", "champion", "--json").stdout)
    assert "report.html" in card["files"]
