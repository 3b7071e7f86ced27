"""Counting requests in many workers and adding the counts up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from diamond_app.api.counters import BUCKETS, Counters

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
