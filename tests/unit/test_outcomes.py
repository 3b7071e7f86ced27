"""Outcomes: what can be reported, by whom, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_adapters.in_memory import InMemoryOutcomeLog, InMemoryRequestLog
from diamond_adapters.sources.outcomes import OutcomeSource
from diamond_core import (
    Conflict,
    DiamondError,
    DiamondTable,
    ImplausibleOutcome,
    InvalidOutcome,
    LiveErrors,
    NotTheCaller,
    OutcomeReport,
    PredictionNotFound,
    PricedStones,
    ReportOutcomes,
    Unavailable,
    current,
)
from diamond_core.codec import decode, encode
from diamond_core.testing import an_exchange, an_outcome, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases import report_outcomes

TODAY = date(2026, 11, 28)
STONES = some_stones(5)


def report(id="", **values):
    return OutcomeReport.parse(id, {"price_paid": 1000.0} | values, TODAY)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, ["price_paid"]),
        ({"price_paid": 0}, ["price_paid"]),
        ({"price_paid": -5}, ["price_paid"]),
        ({"price_paid": True}, ["price_paid"]),
        ({"price_paid": "1000"}, ["price_paid"]),
        ({"price_paid": 1e12}, ["price_paid"]),
        ({"price_paid": float("nan")}, ["price_paid"]),
        ({"price_paid": 1, "date": "2026-13-01"}, ["date"]),
        ({"price_paid": 1, "date": "2026-11-30"}, ["date"]),
        ({"price_paid": 1, "date": "1066-10-14"}, ["date"]),
        ({"price_paid": 1, "date": 5}, ["date"]),
        ({"price_paid": 1, "note": "x" * 1001}, ["note"]),
        ({"price_paid": 1, "note": ["a"]}, ["note"]),
        ({"price": 1, "note": 5}, ["price", "price_paid", "note"]),
    ],
)
def test_names_every_field_that_is_wrong(values, fields):
    with pytest.raises(InvalidOutcome) as caught:
        OutcomeReport.parse("a", values, TODAY)
    assert [each.field for each in caught.value.problems] == fields


def test_a_day_can_be_that_of_a_time_zone_ahead():
    tomorrow = {"price_paid": 5, "date": "2026-11-29"}
    assert OutcomeReport.parse("a", tomorrow, TODAY).paid_on == date(2026, 11, 29)
    with pytest.raises(InvalidOutcome, match="from 1900-01-01 to 2026-11-29, such as '2026-11-28'"):
        OutcomeReport.parse("a", tomorrow | {"date": "2026-11-30"}, TODAY)


def test_reads_what_is_right():
    given = {"price_paid": 5, "date": "2026-11-29", "note": None}
    assert OutcomeReport.parse("a", given, TODAY) == OutcomeReport(
        id="a", price_paid=5.0, paid_on=date(2026, 11, 29)
    )
    texts = {"price_paid": "4500,5", "date": " ", "note": "ring"}
    assert OutcomeReport.parse("a", texts, TODAY, text=True) == OutcomeReport(
        id="a", price_paid=4500.5, note="ring"
    )


@pytest.fixture
def log():
    return InMemoryRequestLog()


@pytest.fixture
def outcomes():
    return InMemoryOutcomeLog()


@pytest.fixture
def batch(log):
    """The exchange of a batch of five stones, priced at 1,000 USD, that 'shop' asked for."""
    exchange = an_exchange(path="/v1/predictions/batch", key_name="shop", status=200)
    log.append(exchange)
    return exchange


@pytest.fixture
def reports(log, outcomes):
    def read_priced(exchanges):
        for each in exchanges:
            n = len(STONES)
            yield PricedStones(
                table=DiamondTable(STONES.rows),
                ids=np.array([f"{each.id}-{at}" for at in range(n)], dtype=object),
                times=np.full(n, np.datetime64(NOON.replace(tzinfo=None), "us")),
                models=np.full(n, "linear-1", dtype=object),
                keys=np.full(n, each.key_name, dtype=object),
                prices=np.full(n, 1000.0),
                lows=np.full(n, 900.0),
                highs=np.full(n, 1100.0),
            )

    return ReportOutcomes(log, read_priced, outcomes, lambda: NOON)


def test_keeps_an_outcome_with_all_that_is_known_of_the_prediction(reports, outcomes, batch):
    id = f"{batch.id}-3"

    kept = reports(report(id, price_paid=950, date="2026-01-01", note="ring"), by="shop")

    assert kept.number == 1
    assert (kept.price_paid, kept.paid_on, kept.note) == (950.0, date(2026, 1, 1), "ring")
    assert (kept.predicted, kept.low, kept.high) == (1000.0, 900.0, 1100.0)
    assert (kept.model_id, kept.key_name, kept.reported_at) == ("linear-1", "shop", NOON)
    assert kept.diamond == STONES.diamond(3)
    assert (kept.error, kept.in_range) == (50.0, True)
    assert list(outcomes.read()) == [kept]


def test_a_repeated_report_changes_nothing_and_another_one_corrects(reports, outcomes, batch):
    id = f"{batch.id}-0"
    first = reports(report(id, date="2026-01-01", note="ring"), by="shop")
    assert reports(report(id), by="shop") == first
    assert reports(report(id, date="2026-01-01"), by="shop") == first

    second = reports(report(id, price_paid=900), by="shop")

    assert (second.number, second.price_paid, second.paid_on) == (2, 900.0, date(2026, 1, 1))
    assert list(outcomes.read()) == [first, second]
    assert list(current(outcomes.read())) == [second]
    assert reports(report(id, price_paid=900), by="shop") == second


def test_a_clock_that_jumps_back_does_not_change_which_outcome_counts(
    reports, outcomes, batch, monkeypatch
):
    id = f"{batch.id}-0"
    first = reports(report(id), by="shop")
    monkeypatch.setattr(reports, "_clock", lambda: NOON - timedelta(days=400))

    second = reports(report(id, price_paid=900), by="shop")

    assert second.reported_at < first.reported_at
    assert second.paid_on == first.paid_on
    assert list(current(outcomes.read())) == [second]
    (raw,) = OutcomeSource(outcomes).read()
    assert list(raw.columns["price"]) == [900.0]
    assert reports(report(id, price_paid=900), by="shop") == second
    (live,) = LiveErrors.of(current(outcomes.read())).values()
    assert live.total.bias == 100.0


@pytest.mark.parametrize(
    ("id", "by", "price", "error"),
    [
        ("-0", "other", 1000, NotTheCaller),
        ("-0", "", 1000, NotTheCaller),
        ("-5", "shop", 1000, PredictionNotFound),
        ("", "shop", 1000, PredictionNotFound),
        ("-0", "shop", 10_001, ImplausibleOutcome),
        ("-0", "shop", 99, ImplausibleOutcome),
    ],
)
def test_refuses_what_cannot_be_right(reports, outcomes, batch, id, by, price, error):
    with pytest.raises(error):
        reports(report(f"{batch.id}{id}", price_paid=price), by=by)
    assert list(outcomes.read()) == []


def test_an_administrator_reports_about_every_prediction(reports, batch):
    assert reports(report(f"{batch.id}-0"), by="admin", admin=True).key_name == "admin"


@pytest.mark.parametrize("id", ["", "x", "%", "0" * 32, "0" * 32 + "-1", "A" * 500])
def test_a_prediction_that_is_not_there(reports, id):
    with pytest.raises(PredictionNotFound):
        reports(report(id), by="admin", admin=True)


def test_many_reports_are_kept_or_refused_one_by_one(reports, outcomes, batch):
    ids = [f"{batch.id}-{at}" for at in range(5)]
    given = [
        report(ids[0]),
        report(ids[1], price_paid=1e6),
        report(ids[2]),
        report(ids[2]),
        report(ids[2], price_paid=1001),
        report("0" * 32),
    ]

    found = list(reports.many(given, by="admin", admin=True))

    assert [isinstance(each, DiamondError) or each.is_new for each in found] == [
        *(True, True, True),
        *(False, True, True),
    ]
    assert [type(each) for each in found if isinstance(each, DiamondError)] == [
        *(ImplausibleOutcome, InvalidOutcome),
        PredictionNotFound,
    ]
    assert [each.id for each in outcomes.read()] == [ids[0], ids[2]]


def test_a_prediction_that_is_given_twice_is_refused_however_far_apart(
    reports, outcomes, batch, monkeypatch
):
    monkeypatch.setattr(report_outcomes, "_AT_ONCE", 2)
    first, *others = [f"{batch.id}-{at}" for at in range(5)]
    given = [report(first), *map(report, others), report(first, price_paid=1001), report(first)]
    for _ in range(2):  # the same file again changes nothing
        *_, second, third = reports.many(given, by="shop")
        assert isinstance(second, InvalidOutcome)
        assert (third.is_new, third.outcome.price_paid) == (False, 1000.0)
    assert len(list(outcomes.read())) == 5


def test_a_report_waits_for_one_that_comes_at_the_same_time(reports, outcomes, batch, monkeypatch):
    id = f"{batch.id}-0"
    other = replace(an_outcome(), id=id, price_paid=700.0)
    add, came = outcomes.add, []

    def add_after_another(some):
        if not came:
            came.append(add([other]))
        add(some)

    monkeypatch.setattr(outcomes, "add", add_after_another)
    kept = reports(report(id), by="shop")
    assert (kept.number, list(outcomes.read())) == (2, [other, kept])


def test_gives_up_after_some_conflicts(reports, outcomes, batch, monkeypatch):
    def conflict(some):
        raise Conflict("again")

    monkeypatch.setattr(outcomes, "add", conflict)
    with pytest.raises(Conflict, match="try again"):
        reports(report(f"{batch.id}-0"), by="shop")


def test_says_when_the_prediction_cannot_be_read(reports, log, batch):
    log.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        reports(report(f"{batch.id}-0"), by="shop")


paid = st.builds(
    lambda price, predicted, half, day, model: an_outcome(
        price_paid=price,
        predicted=predicted,
        low=predicted / half,
        high=predicted * half,
        paid_on=date(2026, 1, 1) + timedelta(days=day),
        model_id=model,
    ),
    st.floats(100, 10_000),
    st.floats(100, 10_000),
    st.floats(1.01, 3),
    st.integers(0, 40),
    st.sampled_from(["a", "b"]),
)


@given(st.lists(paid, max_size=30))
def test_live_errors_are_those_of_the_single_outcomes(outcomes):
    found = LiveErrors.of(outcomes)

    assert list(found) == sorted({each.model_id for each in outcomes})
    for model, live in found.items():
        mine = [each for each in outcomes if each.model_id == model]
        check(live.total, mine)
        weeks = {}
        for each in mine:
            weeks.setdefault(each.paid_on.isocalendar()[:2], []).append(each)
        assert [week.since.isocalendar() for week in live.weeks] == [
            (*week, 1) for week in sorted(weeks)
        ]
        for week in live.weeks:
            check(week.error, weeks[week.since.isocalendar()[:2]])


def check(error, outcomes):
    errors = np.array([each.predicted - each.price_paid for each in outcomes])
    prices = np.array([each.price_paid for each in outcomes])
    absolute = np.abs(errors)
    assert error.outcomes == len(outcomes)
    assert error.mae == pytest.approx(absolute.mean(), abs=1e-6)
    assert error.bias == pytest.approx(errors.mean(), abs=1e-6)
    assert error.relative_bias == pytest.approx(errors.sum() / prices.sum(), abs=1e-9)
    assert error.mape == pytest.approx((absolute / prices).mean())
    assert error.coverage == pytest.approx(np.mean([each.in_range for each in outcomes]))
    spread = absolute.std(ddof=1) if len(outcomes) > 1 else 0.0
    margin = 1.959964 * spread / len(outcomes) ** 0.5
    assert error.mae_high == pytest.approx(error.mae + margin, abs=1e-3)
    assert error.mae_low == pytest.approx(max(0.0, error.mae - margin), abs=1e-3)


def a_week(price, outcomes=40, model="a", days=0):
    return [
        an_outcome(
            price_paid=price,
            predicted=1000.0,
            paid_on=TODAY - timedelta(days=days),
            model_id=model,
        )
        for _ in range(outcomes)
    ]


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (a_week(850.0), "18% above"),
        (a_week(1200.0), "17% below"),
        (a_week(950.0), ""),
        (a_week(1000.0), ""),
        # a week without any error counts too
        ([*a_week(1000.0), *a_week(800.0, days=7)], "11% above"),
        (a_week(500.0, outcomes=29), ""),
    ],
)
def test_says_that_prices_were_far_from_what_was_paid(outcomes, words):
    (live,) = LiveErrors.of(outcomes).values()
    sentence = live.bias_alarm(TODAY - timedelta(weeks=4), 0.1)
    assert words in sentence
    assert bool(words) == bool(sentence)
    assert live.bias_alarm(TODAY + timedelta(days=7), 0.1) == ""


def test_live_errors_can_be_stored():
    (live,) = LiveErrors.of(a_week(850.0)).values()
    assert decode(LiveErrors, encode(live)) == live
    with pytest.raises(ValueError, match="since"):
        decode(LiveErrors, encode(live).replace(b'"2026-11-23"', b'"soon"'))


def test_a_record_without_outcomes_is_a_delivery_without_stones():
    (raw,) = OutcomeSource(InMemoryOutcomeLog()).read()

    assert set(raw.header) == {"number", *raw.columns}
    assert not any(raw.columns.values())
    assert not raw.delivered
