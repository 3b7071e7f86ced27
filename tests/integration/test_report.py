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
from diamond_core import DiamondTable, RejectedRow, Training, compare
from diamond_core.model_card import DataSummary
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


def training(holdout=HOLDOUT, rejected=(), champion=None, **card):
    stones = some_stones(300)
    return Training(
        card=a_card(**{"coverage_by_quintile": (0.9,) * 5} | card),
        model=FormulaModel(),
        stones=stones,
        holdout=holdout,
        rejected=rejected,
        champion=champion,
    )


def of_champion(factor):
    actual = HOLDOUT.price
    model = FormulaModel(factor)
    told = compare("old-1", actual, model.price(HOLDOUT), FormulaModel().price(HOLDOUT))
    return {"champion": model, "comparison": told}


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
        *("How close the prices are", "Where it errs", "How far the price range can be trusted"),
        *("What it relies on", "How it was chosen", "What it learned from", "Rows left out"),
        *("formula-1", "plain", "310.50", '"depth": 6', "Very Good", "VVS1"),
    ):
        assert words in text
    page = write_report(training(details={"trials": [*trials, PRUNED]}))
    assert page.count(b"<circle") == 31
    assert page.count(b'dot pruned"') == 1
    assert b"trial 30 (rate 0.1235, depth 6): 1.00 USD" in page
    assert b">1.00<" not in page  # a trial that was broken off is no candidate


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.3, "less than the champion"), (1.0, "beyond the noise"), (None, "no champion to compare")],
)
def test_says_how_it_does_against_the_champion(factor, words):
    told = {} if factor is None else of_champion(factor)
    assert words in Page(write_report(training(**told))).text


def test_counts_reasons_by_kind():
    rejected = [
        RejectedRow(2, ("depth 61.1 % contradicts x, y and z: check the four numbers",), "a.csv"),
        RejectedRow(3, ("depth 9 % contradicts x, y and z: check the four numbers",), "a.csv"),
        RejectedRow(4, ("z must be above 0, not '0'", "x must be above 0, not '0'"), "b.csv"),
    ]
    text = Page(write_report(training(rejected=rejected))).text
    assert "3 rows could not be used" in text
    assert "depth ... % contradicts x, y and z: check the four numbers 2" in text
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
    rows = HOLDOUT.rows.copy()
    rows[field] = 1.0
    Page(write_report(training(holdout=DiamondTable(rows).without_measurements())))


@pytest.mark.parametrize(
    "details",
    [
        {"candidates": "none", "trials": 7},
        {"candidates": [1, {}, {"cross_validated_mae": float("nan")}]},
        {"trials": [{"cross_validated_mae": "x"}], "other": {"deep": [1, None]}},
        {"trials": [PRUNED, PRUNED]},
    ],
)
def test_is_written_whatever_a_family_tells(details):
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
