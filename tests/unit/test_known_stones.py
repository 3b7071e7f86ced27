"""Which stones of a delivery are new, known or corrections: against one row after the other."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.known_stones import (
    CORRECTED,
    NEW,
    REPEATED,
    StoneMarks,
    sort_out,
)
from diamond_core.stones.stone_records import StoneRecords

TODAY = date(2026, 11, 24)
DAYS = [date(2026, 11, 1), date(2026, 11, 2), TODAY]

rows = st.lists(
    st.tuples(
        st.sampled_from(["", "", "a", "b"]),
        st.sampled_from([0.5, 0.7]),
        st.sampled_from([1000.0, 1100.0]),
        st.sampled_from([None, *DAYS]),
    ),
    max_size=7,
)


def records(values, day=None):
    ids, carats, prices, days = zip(*values, strict=True) if values else ((), (), (), ())
    size = len(values)
    table = DiamondTable.from_columns(
        {
            "carat": np.array(carats, dtype=float),
            "cut": [4] * size if size else np.empty(0, np.uint8),
            "color": [3] * size if size else np.empty(0, np.uint8),
            "clarity": [2] * size if size else np.empty(0, np.uint8),
            "price": np.array(prices, dtype=float),
        }
    )
    names = np.empty(size, dtype=object)
    names[:] = ids
    found = StoneRecords(table, names, np.array([each or "NaT" for each in days], "M8[D]"))
    return found.dated(day) if day else found


def plainly(stored, delivered):
    """Take the rows one after the other, in the order of the rule."""
    status = [None] * len(delivered)
    kept = [False] * len(delivered)
    by_id = {id: (carat, price, day) for id, carat, price, day in stored if id}
    taken = {}
    numbered = sorted(enumerate(delivered), key=lambda each: each[1][3] or TODAY)
    for at, (id, carat, price, day) in numbered:
        if not id:
            continue
        before = by_id.get(id)
        dated = (carat, price, day or TODAY)
        if before is None:
            status[at] = NEW
        elif dated[2] < before[2] or (
            before[:2] == dated[:2] and (day is None or before[2] == day)
        ):
            status[at] = REPEATED
            continue
        else:
            status[at] = CORRECTED
        by_id[id], taken[id] = dated, at
    for at in taken.values():
        kept[at] = True
    contents = {(carat, price, day) for _, carat, price, day in stored}
    for at, (id, carat, price, day) in enumerate(delivered):
        if not id and day:
            fresh = (carat, price, day) not in contents
            status[at], kept[at] = (NEW if fresh else REPEATED), fresh
            contents.add((carat, price, day))
    of_delivery = [(c, p) for id, c, p, day in delivered if not id and day]
    prices = {(c, p) for _, c, p, _ in stored} | set(of_delivery)
    for at, (id, carat, price, day) in enumerate(delivered):
        if not id and day is None:
            fresh = (carat, price) not in prices
            status[at], kept[at] = (NEW if fresh else REPEATED), fresh
            prices.add((carat, price))
    return status, kept


def one_of_each(values):
    """Stored stones: each id once, all with a date."""
    found = {}
    for number, (id, carat, price, day) in enumerate(values):
        found[id or number] = (id, carat, price, day or DAYS[0])
    return list(found.values())


@given(rows.map(one_of_each), rows)
@example([("a", 0.5, 1000.0, TODAY)], [("a", 0.5, 1100.0, DAYS[0]), ("a", 0.5, 1000.0, None)])
def test_sorts_out_as_one_row_after_the_other_would(stored, delivered):
    found = sort_out(StoneMarks.of(records(stored)), StoneMarks.of(records(delivered)), TODAY)
    status, kept = plainly(stored, delivered)
    assert found.status.tolist() == status
    assert found.kept.tolist() == kept
    ids = {id for id, *_ in stored if id}
    assert found.matched.tolist() == [id in ids for id, *_ in delivered]
    after = {id for id, *_ in delivered if id} | ids
    unnamed = sum(1 for id, *_ in stored if not id)
    unnamed += sum(keep for keep, (id, *_) in zip(kept, delivered, strict=True) if not id)
    assert len(stored) + found.growth == len(after) + unnamed


def test_a_delivery_that_supersedes_is_right_whatever_the_dates():
    stored = [("a", 0.5, 1000.0, TODAY), ("b", 0.7, 1000.0, TODAY), ("c", 0.7, 1000.0, TODAY)]
    delivered = [
        ("a", 0.5, 1100.0, DAYS[0]),
        ("b", 0.7, 1000.0, DAYS[0]),
        ("c", 0.7, 1000.0, TODAY),
        ("d", 0.7, 1000.0, DAYS[0]),
    ]
    marks = StoneMarks.of(records(stored)), StoneMarks.of(records(delivered))
    found = sort_out(*marks, TODAY, supersedes=True)
    assert found.status.tolist() == [CORRECTED, CORRECTED, REPEATED, NEW]
    assert found.kept.tolist() == [True, True, False, True]
    assert sort_out(*marks, TODAY).status.tolist() == [REPEATED, REPEATED, REPEATED, NEW]


def test_knows_ids_that_name_other_stones():
    stored = [("a", 0.5, 1000.0, DAYS[0]), ("b", 0.7, 1000.0, DAYS[0])]
    delivered = [("a", 0.5, 1100.0, TODAY), ("b", 0.5, 1000.0, TODAY), ("c", 0.5, 1000.0, TODAY)]
    found = sort_out(StoneMarks.of(records(stored)), StoneMarks.of(records(delivered)), TODAY)
    assert found.renamed.tolist() == [False, True, False]


def test_marks_of_parts_are_the_marks_of_all():
    values = [("a", 0.5, 1000.0, TODAY), ("", 0.7, 1100.0, None)]
    whole = StoneMarks.of(records(values))
    parts = StoneMarks.concatenate([StoneMarks.of(records([each])) for each in values])
    for name in ("ids", "four_cs", "contents", "dates"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert len(StoneMarks.concatenate([])) == 0
