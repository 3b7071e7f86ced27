"""Counting requests in many workers and adding the counts up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from diamond_app.api.counters import BUCKETS, Counters, SharedCounters, keep_counters_of

ROUTE = ("GET", "/livez", 200)
requests = st.lists(
    st.tuples(
        st.sampled_from(["GET", "POST"]),
        st.sampled_from(["", "/livez", "/v1/models/{id}"]),
        st.sampled_from([200, 404, 503]),
        st.sampled_from([0.0, 0.005, 0.0051, 0.3, 10.0, 11.0]),
    ),
    max_size=30,
)


@given(requests, requests)
def test_adds_up_like_counting_all_at_once(ours, theirs):
    one, other, both = Counters(), Counters(), Counters()
    for counters, seen in ((one, ours), (other, theirs), (both, ours + theirs)):
        for method, route, status, seconds in seen:
            counters.request((method, route, status), seconds)
    one.add(other)
    plain = Counter(
        ((method, route, status), min([end for end in BUCKETS if seconds <= end], default=None))
        for method, route, status, seconds in ours + theirs
    )
    assert one.durations.keys() == both.durations.keys()
    for route, counts in one.durations.items():
        assert counts[:-1] == [plain[route, end] for end in (*BUCKETS, None)]
        assert abs(counts[-1] - both.durations[route][-1]) < 1e-9


def test_a_file_gives_back_what_was_counted(tmp_path):
    counters = Counters()
    counters.request(ROUTE, 0.02)
    counters.prices("m-1", 7)
    counters.write(tmp_path / "1-a.json", frozenset({"2-b.json"}))
    found, merged = Counters.read(tmp_path / "1-a.json")
    assert (found.durations, found.priced) == (counters.durations, counters.priced)
    assert merged == {"2-b.json"}


def test_counts_of_the_dead_are_kept_and_counted_once(tmp_path):
    for pid in (11, 12):
        counters = Counters()
        counters.request(ROUTE, 0.02)
        counters.prices("m-1", pid)
        counters.write(tmp_path / f"{pid}-a.json")
    counts = SharedCounters(tmp_path)
    assert counts.total().priced == {"m-1": 23}
    kept = (tmp_path / "11-a.json").read_bytes()
    keep_counters_of(tmp_path, 11)
    assert counts.total().priced == {"m-1": 23}
    (tmp_path / "11-a.json").write_bytes(kept)  # as if the burial had been cut short
    assert counts.total().priced == {"m-1": 23}
    keep_counters_of(tmp_path, 12)
    keep_counters_of(tmp_path, 99)
    counts.count(ROUTE, 0.1, "m-1", 1)
    total = counts.total()
    assert total.priced == {"m-1": 24}
    assert sum(total.durations[ROUTE][:-1]) == 3
