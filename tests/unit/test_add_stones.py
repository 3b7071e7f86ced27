"""Deliveries to the store of stones: what is new, what is known, what waits for a person."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from diamond_adapters.in_memory import (
    InMemoryExclusiveWork,
    InMemoryOutcomeLog,
    InMemoryStoneStore,
)
from diamond_adapters.sources.outcomes import OutcomeSource
from diamond_core import (
    AddStones,
    Conflict,
    Delivery,
    DeliveryNotFound,
    GateLimits,
    RawStones,
    RejectedRow,
    SourceUnreadable,
    StoneRecords,
)
from diamond_core.stones.cleaning import COLUMNS, TOTAL_LINE
from diamond_core.testing import a_card, a_fitted_model, an_outcome, some_stones

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Rows:
    """A source of rows of text."""

    def __init__(self, rows, name="file.csv", malformed=()):
        self.rows, self.name, self.malformed = rows, name, malformed

    def read(self):
        header = tuple(dict.fromkeys(name for row in self.rows for name in row))
        columns = {name: [row.get(name, "") for row in self.rows] for name in header}
        lines = range(2, 2 + len(self.rows))
        cells = [(line, list(row.values())) for line, row in zip(lines, self.rows, strict=True)]
        yield RawStones(self.name, columns, lines, self.malformed, header, cells)


class Broken(Rows):
    def read(self):
        yield from super().read()
        raise SourceUnreadable(self.name, "it ends too early")


def rows_of(table, **columns):
    """The stones of a table as rows, with more columns."""
    values = {name: table.values(name) for name in COLUMNS}
    values |= {name: list(each) for name, each in columns.items()}
    return [{name: str(each[at]) for name, each in values.items()} for at in range(len(table))]


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def store():
    return InMemoryStoneStore()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def add(store, history, clock):
    return AddStones(store, history, InMemoryExclusiveWork(), clock)


def one(add, rows, **options):
    (delivery,) = add([Rows(rows, **options)]).deliveries
    return delivery


def counts(delivery):
    return (delivery.rows, delivery.new, delivery.known, delivery.corrected, delivery.rejected)


def stones(store, version=None):
    return StoneRecords.concatenate(list(store.stones(version)))


def test_adds_the_usable_rows_and_keeps_the_others(add, store):
    rows = rows_of(some_stones(30))
    rows[3]["carat"] = "heavy"
    delivery = one(add, rows)
    assert counts(delivery) == (30, 29, 0, 0, 1)
    assert delivery.status == "added"
    assert delivery.header == tuple(COLUMNS)
    assert list(delivery.reasons.values()) == [1]
    assert len(stones(store)) == store.version().stones == 29
    assert {str(day) for day in stones(store).dates} == {"2026-11-24"}
    (kept,) = store.delivered(delivery.id)
    assert [json.loads(cells)[0] for cells in kept.cells][3] == "heavy"
    assert kept.reasons[3].startswith("carat must be")
    assert sum(kept.usable) == 29


def test_the_same_rows_again_change_nothing(add, store, clock):
    rows = rows_of(some_stones(30))
    first = one(add, rows)
    clock.now += timedelta(days=1)
    again = one(add, rows, name="a copy.csv")
    assert (again.id, again.digest) == (first.id, first.digest)
    assert again.status == "known"
    assert counts(again) == (30, 0, 30, 0, 0)
    assert len(store.deliveries()) == len(store.versions()) == 1


def test_other_rows_of_known_stones_are_known(add, store, clock):
    rows = rows_of(some_stones(30))
    one(add, rows)
    clock.now += timedelta(days=7)
    longer = one(add, [*rows, *rows_of(some_stones(5, seed=9))])
    assert counts(longer) == (35, 5, 30, 0, 0)
    assert len(stones(store)) == 35


def test_a_price_of_another_day_is_another_stone(add, store):
    rows = rows_of(some_stones(6), date=["2026-11-01"] * 6)
    one(add, rows)
    later = one(add, [row | {"date": "2026-11-08"} for row in rows])
    assert counts(later) == (6, 6, 0, 0, 0)
    assert len(stones(store)) == 12


def test_a_later_row_of_an_id_corrects_the_earlier(add, store, clock):
    table = some_stones(6)
    rows = rows_of(table, sku=[f"S{at}" for at in range(6)])
    one(add, rows)
    clock.now += timedelta(days=1)
    rows[2]["price"] = "777"
    delivery = one(add, rows)
    assert counts(delivery) == (6, 0, 5, 1, 0)
    now = stones(store)
    assert len(now) == 6
    assert sorted(now.table.price[now.ids == "S2"]) == [777.0]
    assert len(stones(store, 1)) == 6
    assert 777.0 not in stones(store, 1).table.price


def test_a_file_that_comes_late_undoes_no_correction(add, store):
    row = rows_of(some_stones(1))[0]
    one(add, [row | {"id": "a", "date": "2026-11-08", "price": "900"}])
    late = one(add, [row | {"id": "a", "date": "2026-11-01", "price": "500"}])
    assert counts(late) == (1, 0, 1, 0, 0)
    assert stones(store).table.price.tolist() == [900.0]


def test_a_source_that_breaks_off_leaves_nothing(add, store):
    with pytest.raises(SourceUnreadable):
        add([Rows(rows_of(some_stones(5))), Broken(rows_of(some_stones(9, seed=3)))])
    assert [each.rows for each in store.deliveries()] == [5]


def test_missing_columns_hold_a_delivery(add, store):
    rows = [
        {name: value for name, value in row.items() if name not in ("cut", "price")}
        for row in rows_of(some_stones(5))
    ]
    delivery = one(add, rows)
    assert delivery.status == "held"
    assert delivery.reason == "the columns cut, price are missing"
    assert store.version() is None


@pytest.mark.parametrize(("bad", "held"), [(2, False), (3, True)])
def test_many_rejected_rows_hold_a_delivery(add, bad, held):
    rows = rows_of(some_stones(20))
    for row in rows[:bad]:
        row["price"] = "?"
    delivery = one(add, rows)
    assert (delivery.status == "held") is held
    if held:
        assert delivery.reason == "3 of 20 rows (15%) are not usable"


def test_a_total_line_holds_nothing(add):
    total = RejectedRow(9, (TOTAL_LINE,), "file.csv")
    delivery = one(add, rows_of(some_stones(5)), malformed=[total])
    assert delivery.reasons == {TOTAL_LINE: 1}
    assert delivery.status == "added"


@pytest.fixture
def champion(history):
    """A champion that says what the stones of ``some_stones`` are worth."""
    table = some_stones(200)
    card = history.publish(a_card(), a_fitted_model(table), table)
    history.promote(card.id, previous=None, at=NOW, by="test", reason="first")


def scaled(table, factor, name="price"):
    rows = rows_of(table)
    for row in rows:
        row[name] = str(float(row[name]) * factor)
        if name == "carat":
            row.update(dict.fromkeys("xyz", ""))
    return rows


@pytest.mark.parametrize(
    ("factor", "held"), [(0.9, False), (1.25, False), (1.9, True), (0.5, True), (83.0, True)]
)
def test_prices_of_another_currency_hold_a_delivery(add, store, champion, factor, held):
    one(add, rows_of(some_stones(100)))
    delivery = one(add, scaled(some_stones(40, seed=3), factor))
    level = delivery.levels["price"]
    assert level["level"] == pytest.approx(factor, rel=0.1)
    assert sum(level["delivered"]) == 40
    assert sum(level["stored"]) == 100
    assert (delivery.status == "held") is held
    if held:
        assert "times what these stones are worth" in delivery.reason
        assert len(stones(store)) == 100


def test_without_a_champion_prices_are_compared_with_the_store(add):
    one(add, rows_of(some_stones(100)))
    assert one(add, scaled(some_stones(40, seed=3), 1.1)).status == "added"
    assert one(add, scaled(some_stones(40, seed=4), 8.0)).status == "held"


def test_weights_in_grams_hold_a_delivery(add, champion):
    one(add, rows_of(some_stones(100)))
    delivery = one(add, scaled(some_stones(40, seed=3), 0.2, "carat"))
    assert delivery.status == "held"


def test_the_first_delivery_is_reported_and_not_held(add, champion):
    delivery = one(add, scaled(some_stones(40), 1.9))
    assert delivery.status == "added"
    assert delivery.levels["price"]["level"] == pytest.approx(1.9, rel=0.1)


def test_a_handful_of_stones_says_nothing_about_a_level(add, champion):
    one(add, rows_of(some_stones(100)))
    delivery = one(add, scaled(some_stones(4, seed=3), 3.0))
    assert delivery.status == "added"
    assert delivery.levels == {}


def test_ids_that_are_line_numbers_hold_a_delivery(add, store):
    numbers = [str(at) for at in range(20)]
    one(add, rows_of(some_stones(20), id=numbers))
    delivery = one(add, rows_of(some_stones(20, seed=3), id=numbers))
    assert delivery.status == "held"
    assert "are they line numbers?" in delivery.reason
    assert len(stones(store)) == 20


def test_the_limits_can_be_set(store, history, clock):
    limits = GateLimits(rejected=0.5, factor=10.0)
    add = AddStones(store, history, InMemoryExclusiveWork(), clock, limits)
    rows = rows_of(some_stones(20))
    for row in rows[:9]:
        row["price"] = "?"
    assert one(add, rows).status == "added"


def held(add):
    one(add, rows_of(some_stones(100)))
    return one(add, scaled(some_stones(40, seed=3), 4.0))


def test_a_released_delivery_is_added(add, store, champion):
    delivery = held(add)
    again = one(add, scaled(some_stones(40, seed=3), 4.0))
    assert again == delivery
    released = add.release(delivery.id, by="Ann")
    assert released.status == "added"
    assert released.reason.startswith("released by Ann; it was held: the prices are")
    assert len(stones(store)) == 140
    assert [each for each in store.deliveries() if each.id == delivery.id] == [released]
    assert one(add, scaled(some_stones(40, seed=3), 4.0)).status == "known"
    with pytest.raises(Conflict, match="it is added"):
        add.release(delivery.id, by="Ann")


def test_knows_no_other_delivery(add):
    with pytest.raises(DeliveryNotFound):
        add.release("0123456789ab", by="Ann")


class DiesBeforeItPuts(InMemoryStoneStore):
    dies = True

    def put(self, *args, **options):
        if self.dies:
            raise KeyboardInterrupt
        super().put(*args, **options)


def test_an_addition_that_was_killed_is_finished_by_the_next(history, clock):
    store = DiesBeforeItPuts()
    add = AddStones(store, history, InMemoryExclusiveWork(), clock)
    rows = rows_of(some_stones(10), id=[str(at) for at in range(10)])
    with pytest.raises(KeyboardInterrupt):
        add([Rows(rows)])
    store.dies = False
    assert store.version() is None
    rows[0]["price"] = "999"
    result = add([Rows(rows)])
    assert counts(result.deliveries[0]) == (10, 0, 9, 1, 0)
    assert [each.stones for each in store.versions()] == [10, 10]
    assert 999.0 in stones(store).table.price


def test_a_release_that_was_killed_is_finished_by_the_next(history, clock, champion):
    store = DiesBeforeItPuts()
    store.dies = False
    add = AddStones(store, history, InMemoryExclusiveWork(), clock)
    delivery = held(add)
    store.dies = True
    with pytest.raises(KeyboardInterrupt):
        add.release(delivery.id, by="Ann")
    store.dies = False
    assert add([]).version.stones == 140


def test_a_damaged_champion_says_nothing(add, repository, history, champion):
    repository.damage("formula-1", "model.onnx")
    one(add, rows_of(some_stones(100)))
    assert one(add, scaled(some_stones(40, seed=3), 1.1)).status == "added"


def test_deliveries_of_one_call_see_each_other(add, store):
    rows = rows_of(some_stones(10))
    result = add([Rows(rows), Rows(rows), Rows(rows[:5])])
    assert [each.status for each in result.deliveries] == ["added", "known", "added"]
    assert [each.new for each in result.deliveries] == [10, 0, 0]
    assert result.version == store.version()
    assert result.version.stones == 10


def test_a_delivery_reads_back_from_json():
    delivery = Delivery(
        id="a",
        source="s",
        digest="d",
        at=NOW,
        header=("x",),
        reasons={"r": 1},
        levels={"price": {"level": 1.5, "delivered": [1]}},
    )
    assert Delivery.from_json(delivery.to_json()) == delivery


def test_dates_after_today_are_rejected(add):
    rows = rows_of(some_stones(20), date=["2026-11-20"] * 19 + ["2027-01-01"])
    delivery = one(add, rows)
    assert counts(delivery) == (20, 19, 0, 0, 1)
    assert next(iter(delivery.reasons)).startswith("date must be a day")


def reported(log, number, day, price, stones=10):
    log.add(
        [
            an_outcome(at, number=number, price_paid=price, paid_on=date(2026, 11, day))
            for at in range(stones)
        ]
    )


def test_an_outcome_corrects_its_stone_to_an_earlier_date_and_back(add, store):
    log = InMemoryOutcomeLog()
    source = OutcomeSource(log)
    for number, (day, price) in enumerate([(20, 4500.0), (10, 4400.0), (20, 4500.0)], 1):
        reported(log, number, day, price)
        (delivery,) = add([source]).deliveries
        assert (delivery.new, delivery.corrected) == ((10, 0) if number == 1 else (0, 10))
        assert set(stones(store).dates.astype(str)) == {f"2026-11-{day}"}
        assert set(stones(store).table.price) == {price}
    (again,) = add([source]).deliveries
    assert (again.status, again.known) == ("known", 10)
    assert store.version().stones == 10


def test_a_correction_whose_process_was_killed_is_finished(add, store, monkeypatch):
    log = InMemoryOutcomeLog()
    source = OutcomeSource(log)
    reported(log, 1, 20, 4500.0)
    add([source])
    reported(log, 2, 10, 4400.0)
    put = store.put
    monkeypatch.setattr(store, "put", lambda *_, **__: None)
    add([source])
    monkeypatch.setattr(store, "put", put)
    add([])
    assert set(stones(store).table.price) == {4400.0}


def test_outcomes_that_were_held_cannot_replace_later_ones(add, store, clock):
    log = InMemoryOutcomeLog()
    source = OutcomeSource(log)
    reported(log, 1, 20, 4500.0)
    add([source])
    reported(log, 2, 10, 20_000.0)
    clock.now += timedelta(hours=1)
    (held,) = add([source]).deliveries
    assert held.status == "held"
    reported(log, 3, 10, 4400.0)
    clock.now += timedelta(hours=1)
    (later,) = add([source]).deliveries
    assert (later.status, later.corrected) == ("added", 10)
    with pytest.raises(Conflict, match=later.id):
        add.release(held.id, by="me")
    assert set(stones(store).table.price) == {4400.0}
