"""The contract of ``StoneStore``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import numpy as np
import pytest

from diamond_core.errors import (
    Conflict,
    DeliveryNotFound,
    SourceUnreadable,
    StoneVersionNotFound,
    Unavailable,
)
from diamond_core.ports import BATCH_ROWS, StoneStore, StoneVersion
from diamond_core.stones.delivery import ADDED, HELD, DeliveredRows, Delivery
from diamond_core.stones.stone_records import StoneRecords
from diamond_core.testing.samples import some_stones

_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
_DAY = np.datetime64("2026-11-20")
_NO_VERSION = StoneVersion(number=7, at=_AT, delivery="x", stones=1)


def delivery(id: str, *, hours: int = 0, status: str = ADDED) -> Delivery:
    """Return a delivery that arrived *hours* after the first one."""
    return Delivery(
        id=id,
        source=f"{id}'s file.csv",
        digest=id * 2,
        at=_AT.replace(hour=_AT.hour + hours),
        header=("carat", "größe"),
        rows=3,
        new=2,
        rejected=1,
        status=status,
        reasons={"it's not a stone": 1},
        levels={"price": {"level": 1.5, "delivered": [1, 2]}},
    )


def records(count: int, ids: Iterable[str] | None = None, *, seed: int = 1) -> StoneRecords:
    """Return some dated stones."""
    names = np.array(list(ids) if ids is not None else [""] * count, dtype=object)
    dates = _DAY + np.arange(count) % 7
    return StoneRecords(some_stones(count, seed=seed), names, dates)


def rows(stones: StoneRecords) -> DeliveredRows:
    """Return a row for each stone, with a bad row before them."""
    size = len(stones) + 1
    cells = [f'["row {at}","o\\\\u0027clock"]' for at in range(size)]
    return DeliveredRows(
        np.arange(2, size + 2), cells, ["it's not a stone", *[""] * len(stones)], stones
    )


def as_rows(stones: Iterable[StoneRecords]) -> list[tuple[object, ...]]:
    """Return stones as plain values in an order of their own."""
    found = StoneRecords.concatenate(list(stones))
    deliveries = found.deliveries if len(found.deliveries) else [""] * len(found)
    plain = [
        (*(-1.0 if value != value else value for value in stone), id, str(day), delivery)
        for stone, id, day, delivery in zip(
            found.table.rows.tolist(), found.ids, found.dates, deliveries, strict=True
        )
    ]
    return sorted(plain)


def put(
    store: StoneStore, id: str, *stones: StoneRecords, total: int, corrects: bool = False
) -> None:
    """Put stones after the present version."""
    store.put(delivery(id), stones, after=store.version(), total=total, corrects=corrects)


class StoneStoreContract:
    """Inherit, and supply an empty ``store``, and the same one ``reopened``."""

    @pytest.fixture
    def store(self) -> StoneStore:
        """Return an empty store."""
        raise NotImplementedError("supply the store under test")

    @pytest.fixture
    def reopened(self, store: StoneStore) -> StoneStore:
        """Return another store of the same stones, as another process opens it."""
        return store

    @pytest.fixture
    def break_down(self, store: StoneStore) -> Callable[[], None]:
        """Return a function that makes the storage of ``store`` fail."""
        raise NotImplementedError("supply a failure")

    def test_is_empty_at_first(self, store: StoneStore) -> None:
        assert store.version() is None
        assert list(store.versions()) == []
        assert list(store.deliveries()) == []
        assert as_rows(store.stones()) == []

    def test_gives_back_a_delivery_and_its_rows(
        self, store: StoneStore, reopened: StoneStore
    ) -> None:
        stones = records(3, ["x'1", "", "ü"])
        dates = stones.dates.copy()
        dates[1] = "NaT"
        stones = replace(stones, dates=dates)
        assert store.receive([rows(stones)], lambda: delivery("a")) == delivery("a")
        assert list(reopened.deliveries()) == [delivery("a")]
        (found,) = reopened.delivered("a")
        assert found.lines.tolist() == [2, 3, 4, 5]
        assert list(found.cells) == list(rows(stones).cells)
        assert list(found.reasons) == ["it's not a stone", "", "", ""]
        assert as_rows([found.records]) == as_rows([stones])
        assert np.isnat(found.records.dates).tolist() == [False, True, False]

    def test_stores_nothing_where_nothing_is_concluded(self, store: StoneStore) -> None:
        assert store.receive([rows(records(3))], lambda: None) is None
        assert list(store.deliveries()) == []

    def test_concludes_after_the_last_row(self, store: StoneStore) -> None:
        seen: list[str] = []

        def parts() -> Iterator[DeliveredRows]:
            for number in range(2):
                yield rows(records(2))
                seen.append(f"part {number}")

        def conclude() -> Delivery:
            seen.append("concluded")
            return delivery("a")

        store.receive(parts(), conclude)
        assert seen == ["part 0", "part 1", "concluded"]
        assert sum(len(each.lines) for each in store.delivered("a")) == 6

    def test_stores_nothing_of_a_source_that_fails(self, store: StoneStore) -> None:
        def failing() -> Iterator[DeliveredRows]:
            yield rows(records(3))
            raise SourceUnreadable("file.csv", "it ends too early")

        with pytest.raises(SourceUnreadable, match="it ends too early"):
            store.receive(failing(), lambda: delivery("a"))
        assert list(store.deliveries()) == []

    def test_replaces_what_is_known_about_a_delivery(
        self, store: StoneStore, reopened: StoneStore
    ) -> None:
        store.receive([rows(records(2))], lambda: delivery("a", status=HELD))
        store.receive([rows(records(1))], lambda: delivery("b"))
        released = replace(delivery("a"), reason="it's fine: released by O'Neill")
        store.update(released)
        assert {each.id: each for each in reopened.deliveries()} == {
            "a": released,
            "b": delivery("b"),
        }
        assert sum(len(each.lines) for each in reopened.delivered("a")) == 3

    def test_gives_the_newest_delivery_first(self, store: StoneStore) -> None:
        for number, id in enumerate(["b", "c", "a"]):
            store.receive([], partial(delivery, id, hours=number))
        assert [each.id for each in store.deliveries()] == ["a", "c", "b"]

    def test_knows_no_other_delivery(self, store: StoneStore) -> None:
        store.receive([], lambda: delivery("a"))
        with pytest.raises(DeliveryNotFound):
            list(store.delivered("b"))
        with pytest.raises(DeliveryNotFound):
            store.update(delivery("b"))

    def test_adds_stones_as_a_version(self, store: StoneStore, reopened: StoneStore) -> None:
        stones = records(5, ["a", "", "b", "", ""])
        put(store, "a", stones[np.arange(3)], stones[np.arange(3, 5)], total=5)
        version = reopened.version()
        assert version is not None
        assert (version.delivery, version.stones) == ("a", 5)
        assert list(reopened.versions()) == [version]
        of_a = replace(stones, deliveries=np.array(["a"] * 5, dtype=object))
        assert as_rows(reopened.stones()) == as_rows([of_a])

    def test_adds_a_delivery_once(self, store: StoneStore, reopened: StoneStore) -> None:
        put(store, "a", records(5), total=5)
        put(reopened, "a", records(5), total=10)
        assert len(as_rows(store.stones())) == 5
        assert len(store.versions()) == 1

    def test_a_correction_replaces_the_stone_of_its_id(self, store: StoneStore) -> None:
        before = records(4, ["a", "b", "", ""])
        put(store, "first", before, total=4)
        after = records(3, ["b", "c", ""], seed=2)
        put(store, "second", after, total=6, corrects=True)
        expected = [
            replace(before[np.array([0, 2, 3])], deliveries=np.array(["first"] * 3, dtype=object)),
            replace(after, deliveries=np.array(["second"] * 3, dtype=object)),
        ]
        assert as_rows(store.stones()) == as_rows(expected)

    def test_keeps_every_version(self, store: StoneStore, reopened: StoneStore) -> None:
        put(store, "first", records(4, "abcd"), total=4)
        put(store, "second", records(2, "ax", seed=2), total=5, corrects=True)
        put(store, "third", records(1, seed=3), total=6)
        newest = list(reopened.versions())
        assert [each.delivery for each in newest] == ["third", "second", "first"]
        assert [each.stones for each in newest] == [6, 5, 4]
        assert [len(as_rows(reopened.stones(each.number))) for each in newest] == [6, 5, 4]
        assert newest[0].number > newest[1].number > newest[2].number > 0
        with pytest.raises(StoneVersionNotFound):
            list(store.stones(newest[0].number + 1))

    @pytest.mark.parametrize("corrects", [False, True])
    def test_puts_stones_only_after_the_version_that_they_were_compared_with(
        self, store: StoneStore, reopened: StoneStore, corrects: bool
    ) -> None:
        with pytest.raises(Conflict):
            store.put(
                delivery("a"), [records(3, "abc")], after=_NO_VERSION, total=3, corrects=corrects
            )
        put(store, "a", records(3, "abc"), total=3)
        first = store.version()
        put(reopened, "b", records(2, "de", seed=2), total=5)
        for stale in (None, first):
            with pytest.raises(Conflict):
                store.put(
                    delivery("c"), [records(2, "af")], after=stale, total=4, corrects=corrects
                )
        assert [each.delivery for each in store.versions()] == ["b", "a"]
        assert len(as_rows(reopened.stones())) == 5

    def test_lets_one_of_many_put_stones_after_a_version(
        self, store: StoneStore, reopened: StoneStore
    ) -> None:
        put(store, "first", records(2), total=2)
        present = store.version()
        won: list[str] = []
        failed: list[BaseException] = []

        def add(name: str, own: StoneStore) -> None:
            try:
                own.put(delivery(name), [records(1)], after=present, total=3, corrects=False)
                won.append(name)
            except Conflict:
                pass
            except BaseException as ex:  # a thread's error would be lost
                failed.append(ex)

        threads = [
            threading.Thread(target=add, args=(f"n{number}", (store, reopened)[number % 2]))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert [each.delivery for each in store.versions()] == [*won, "first"]
        assert len(won) == 1

    def test_gives_and_takes_many_stones(self, store: StoneStore) -> None:
        stones = records(BATCH_ROWS + 10)
        store.receive([rows(stones)], lambda: delivery("a"))
        some = [each.records for each in store.delivered("a")]
        assert as_rows(some) == as_rows([stones])
        put(store, "a", *some, total=len(stones))
        found = StoneRecords.concatenate(list(store.stones()))
        assert found.table.digest() == stones.table.digest()
        assert {str(day) for day in found.dates} == {str(day) for day in stones.dates}

    def test_says_that_it_is_unavailable(
        self, store: StoneStore, break_down: Callable[[], None]
    ) -> None:
        store.receive([rows(records(1))], lambda: delivery("a"))
        put(store, "a", records(1), total=1)
        break_down()
        with pytest.raises(Unavailable):
            store.receive([rows(records(1))], lambda: delivery("b"))
        with pytest.raises(Unavailable):
            store.update(delivery("a"))
        with pytest.raises(Unavailable):
            store.put(delivery("b"), [records(1)], after=None, total=2, corrects=False)
        with pytest.raises(Unavailable):
            list(store.stones())

    def test_dates_are_days(self, store: StoneStore) -> None:
        stones = replace(records(1), dates=np.array(["1900-01-01"], "M8[D]"))
        put(store, "a", stones, total=1)
        (found,) = store.stones()
        assert found.dates.tolist() == [date(1900, 1, 1)]
