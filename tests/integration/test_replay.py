"""A replay of recorded requests: what a challenger would have answered."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from browser import chromium, visiting
from click.testing import CliRunner
from dependency_injector import providers
from falcon import testing
from reports import EVIL, Page
from wired import in_memory, with_champion

from diamond_adapters.report.replay import write_replay_report
from diamond_app.cli.main import cli
from diamond_app.priced_exchanges import read_priced
from diamond_app.wsgi import app_of
from diamond_core import (
    ChangedErrors,
    Clarity,
    ModelHistory,
    ModelNotFound,
    Outcome,
    ReplayRequests,
    priced,
    read_requests,
    to_plain,
)
from diamond_core.ports import ONNX_FILE
from diamond_core.testing import FormulaModel, a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON

DEARER = Clarity.VS1
CHALLENGER = "challenger-1"
STONES = some_stones(400)
FIELDS = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z")


class Dearer(FormulaModel):
    """The formula, 5 % dearer for one clarity."""

    def price(self, stones):
        number = list(Clarity).index(DEARER)
        is_dearer = stones.features(("clarity",))[:, 0] == number
        return super().price(stones) * np.where(is_dearer, 1.05, 1.0)


def load(data, features):
    return Dearer() if bytes(data) == b"dearer" else load_formula(data, features)


class Outcomes:
    """The part of an ``OutcomeLog`` that a replay needs."""

    def __init__(self, outcomes):
        self.outcomes = sorted(outcomes, key=lambda each: (each.id, each.number))
        self.since = None

    def read(self, since=None):
        self.since = since
        yield from self.outcomes


def outcome(id, price_paid, number=1):
    return Outcome(
        id=id,
        number=number,
        price_paid=price_paid,
        paid_on=date(2026, 1, 2),
        reported_at=NOON,
        diamond=STONES.diamond(0),
        model_id="formula-1",
        predicted=1.0,
        low=1.0,
        high=1.0,
    )


@pytest.fixture(scope="module")
def wired():
    """An application with a champion, a challenger, and requests of 300 stones."""
    container = in_memory()
    history = ModelHistory(container.model_repository(), load)
    container.history.override(providers.Object(history))
    with_champion(container)
    fitted = a_fitted_model(STONES)
    history.publish(
        a_card(CHALLENGER), replace(fitted, files=fitted.files | {ONNX_FILE: b"dearer"}), STONES
    )
    client = testing.TestClient(app_of(container))
    stones = [{name: getattr(stone, name) for name in FIELDS} for stone in STONES[:300]]
    for number, stone in enumerate(stones[:200]):
        given = stone if number % 2 else {name: stone[name] for name in FIELDS[:4]}
        assert client.simulate_post("/v1/predictions", json=given).status_code == 200
    client.simulate_post("/v1/predictions/batch", json={"diamonds": stones[200:260]})
    lines = [",".join(map(str, each)) for each in [FIELDS, *(s.values() for s in stones[260:])]]
    client.simulate_post(
        "/v1/predictions/batch", body="\n".join(lines), headers={"Content-Type": "text/csv"}
    )
    client.simulate_post("/v1/predictions", json={"carat": 1})
    return container


def replayed(wired, outcomes=None, **options):
    since = datetime.now(UTC) - timedelta(days=7)
    replay = ReplayRequests(
        wired.request_log(),
        wired.history(),
        read_priced,
        wired.clock(),
        outcomes or wired.outcome_log(),
    )
    return replay(CHALLENGER, **{"since": since} | options)


def test_finds_a_challenger_that_is_dearer_for_one_clarity(wired):
    found = replayed(wired)

    dearer = sum(stone.clarity is DEARER for stone in STONES[:300])
    assert (found.exchanges, found.stones) == (202, 300)
    assert found.changed == dearer > 20
    assert found.mean_change == pytest.approx(0.05 * dearer / 300, rel=1e-3)
    by_clarity = {each.name: each for each in found.groups if each.by == "clarity"}
    assert len(by_clarity) == len(Clarity)
    for name, each in by_clarity.items():
        is_it = name == DEARER
        assert each.changed == (each.stones if is_it else 0)
        assert each.mean_change == pytest.approx(0.05 if is_it else 0.0, abs=1e-4)
    assert {each.diamond.clarity for each in found.largest} == {DEARER}
    assert len(found.largest) == 20
    for each in found.largest:
        assert each.new == pytest.approx(each.old * 1.05, abs=0.011)
    amounts = [each.new - each.old for each in found.largest]
    assert amounts == sorted(amounts, reverse=True)


def test_the_champion_against_its_own_answers_changes_nothing(wired):
    found = wired.replay_requests()("formula-1", since=datetime.now(UTC) - timedelta(days=1))
    assert (found.exchanges, found.stones, found.changed, found.largest) == (202, 300, 0, [])
    assert found.ranges.old == found.ranges.new


def test_against_another_model_is_against_what_it_would_answer(wired):
    found = replayed(wired, against=CHALLENGER)
    assert (found.against, found.changed) == (CHALLENGER, 0)
    assert replayed(wired, against="formula-1").changed == replayed(wired).changed


def test_only_requests_of_the_period(wired):
    end = datetime.now(UTC) + timedelta(minutes=1)
    assert replayed(wired, until=end).exchanges == 202
    assert replayed(wired, since=end).stones == 0
    assert replayed(wired, until=datetime.now(UTC) - timedelta(days=6)).stones == 0


def test_shows_progress(wired):
    steps = []
    replayed(wired, progress=lambda step, share: steps.append((step, share)))
    assert {step for step, _ in steps} == {"replaying the requests"}
    assert all(0.0 <= share <= 1.0 for _, share in steps)


def test_errors_of_both_where_an_outcome_exists(wired):
    (stones,) = read_priced(read_requests(wired.request_log(), *priced()))
    dearer = stones.table.column("clarity") == list(Clarity).index(DEARER)
    pairs = zip(stones.ids[dearer].tolist(), stones.prices[dearer].tolist(), strict=True)
    outcomes = [outcome(id, price * 1.04) for id, price in pairs]
    first = replace(outcomes[0], price_paid=1.0)  # corrected by its second outcome
    outcomes[0] = replace(outcomes[0], number=2)
    log = Outcomes([first, *outcomes, outcome("unknown", 5.0)])

    since = datetime.now(UTC) - timedelta(days=3)
    errors = replayed(wired, log, since=since).errors

    assert log.since == since
    prices = stones.prices[dearer]
    assert errors.outcomes == dearer.sum()
    assert errors.old_mae == pytest.approx(0.04 * prices.mean(), rel=1e-3)
    assert errors.new_mae == pytest.approx(0.01 * prices.mean(), rel=1e-2)
    assert errors.old_bias == pytest.approx(-0.04 * prices.mean(), rel=1e-3)
    assert errors.low < errors.difference < errors.high < 0.0
    assert errors.is_significant


def test_an_unknown_model(wired):
    with pytest.raises(ModelNotFound):
        replayed(wired, against="none")


def run(wired, *arguments):
    return CliRunner().invoke(cli, ["requests", "replay", *arguments], obj=wired)


def test_the_command_prints_tables(wired):
    done = run(wired, "--model", CHALLENGER)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == f"{CHALLENGER} against the recorded answers, 202 requests of 300 stones"
    assert re.search(
        r"^Prices that change: \d\d \(\d+\.\d%\); by more than 5 %: ", done.stdout, re.MULTILINE
    )
    (vs1,) = [line for line in lines if line.startswith("VS1 ")]
    assert "+5.00%" in vs1
    (vs2,) = [line for line in lines if line.startswith("VS2 ")]
    assert vs2.split()[2:] == ["0.0%", "+0.00%", "0.00%", "0.0%"]
    assert re.search(
        r"^[\d.]+ ct \w+( Good)? [D-J] VS1 +\S+ \S+ +\w{32}\S* +[\d,.]+ +[\d,.]+ +\+5\.0%$",
        done.stdout,
        re.MULTILINE,
    )
    assert done.stderr == "replaying the requests\n"


def test_the_command_prints_json(wired):
    done = run(wired, "--model", CHALLENGER, "--against", "champion", "--json")
    found = json.loads(done.stdout)
    assert found["against"] == "formula-1"
    assert found["exchanges"] == 202
    assert found["changed"] > 20
    assert found["mean_change"] == pytest.approx(0.05 * found["changed"] / 300, rel=1e-3)
    assert found["largest"][0].keys() == {"id", "priced_at", "diamond", "old", "new", "change"}
    assert found == to_plain(found)
    assert found["errors"] is None


def test_the_command_says_when_nothing_was_priced():
    container = with_champion(in_memory())
    done = run(container, "--model", "champion", "--since", "2026-01-01")
    assert done.exit_code == 0
    assert done.stdout == "No stones were priced since 2026-01-01 00:00:00 UTC.\n"
    found = json.loads(run(container, "--model", "champion", "--json").stdout)
    assert (found["exchanges"], found["changed"], found["largest"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "champion", "--since", "yesterday"], "must be a time such as"),
        (["--model", "champion", "--since", "2d", "--until", "3d"], "before the end"),
        ([], "--model"),
    ],
)
def test_wrong_usage(wired, arguments, said):
    done = run(wired, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_report_that_can_not_be_written_is_known_at_the_start(wired, tmp_path):
    done = run(wired, "--model", CHALLENGER, "--report", str(tmp_path / "no" / "r.html"))
    assert done.exit_code == 1
    assert "can't be written" in str(done.exception)


ERRORS = ChangedErrors(
    outcomes=50,
    old_mae=300.0,
    new_mae=250.0,
    old_bias=10.0,
    new_bias=-5.0,
    difference=-50.0,
    low=-70.0,
    high=-30.0,
)


def test_the_report_has_every_part_and_asks_for_nothing(wired, tmp_path):
    path = tmp_path / "replay.html"
    done = run(wired, "--model", CHALLENGER, "--report", str(path))
    assert f"The report was written to {path}" in done.stderr
    page = Page(path.read_bytes())
    assert page.addresses == []
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    bars = page.chart("Mean change by clarity")["rows"]
    assert [bar["label"] for bar in bars if bar["value"]] == [DEARER]
    columns = page.chart("relative change of the price")["layers"][0]["values"]
    assert sum(columns) == 300
    assert {"Mean change by carat", "Mean change by cut"} < {each["label"] for each in page.charts}
    for words in (
        CHALLENGER,
        "+5.00%",
        "Largest changes",
        "No paid price of these stones is known",
    ):
        assert words in page.text
    assert len(path.read_bytes()) < 80_000


def test_the_report_escapes_what_it_shows_and_needs_no_stones(wired):
    found = replayed(wired)
    page = Page(write_replay_report(replace(found, against=EVIL, errors=ERRORS)))
    assert EVIL in page.text
    assert "the MAE is 250.00 USD instead of 300.00 USD" in page.text
    nothing = Page(write_replay_report(replayed(wired, since=datetime.now(UTC))))
    assert nothing.charts == []
    assert "0 requests of 0 stones" in nothing.text


@pytest.mark.parametrize("shift", [0.9, 1.0, 1.1, 3.0])
def test_the_report_in_a_browser(wired, tmp_path, shift):
    """All prices lower, equal, higher, or beyond the histogram; axe-core finds nothing."""
    history = wired.history()
    id = f"shifted-{round(shift * 10)}"
    history.publish(a_card(id), a_fitted_model(STONES, factor=shift), STONES)
    replay = ReplayRequests(
        wired.request_log(), history, read_priced, wired.clock(), wired.outcome_log()
    )
    found = replay(id, since=datetime.now(UTC) - timedelta(days=1))
    assert found.mean_change == pytest.approx(shift - 1.0, abs=1e-3)
    path = tmp_path / "replay.html"
    path.write_bytes(write_replay_report(found))
    with chromium() as browser, visiting(browser, path.as_uri()) as visit:
        page = visit.open("")
        page.locator("figure svg.chart").first.wait_for()
        assert page.locator("svg.chart").count() == page.locator("figure").count() == 5
        assert "NaN" not in page.content()
        assert visit.accessibility_violations() == []
