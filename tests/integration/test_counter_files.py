"""The counts of requests in the files that the workers share."""

from __future__ import annotations

from diamond_app.api.counters import Counters, SharedCounters, keep_counters_of

ROUTE = ("GET", "/livez", 200)


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
