"""The report of a replay as one self-contained page."""

from __future__ import annotations

from itertools import groupby

from diamond_adapters.report import charts
from diamond_adapters.report.charts import Bar, Chart, Table
from diamond_adapters.report.page import rendered
from diamond_core import Replay


def write_replay_report(replay: Replay) -> bytes:
    """Return the page as UTF-8; it loads no other files."""
    return rendered(
        "replay.html",
        replay=replay,
        histogram=charts.changes(replay.histogram) if replay.histogram else None,
        groups=_groups(replay),
        largest=_largest(replay),
    )


def _groups(replay: Replay) -> list[tuple[Chart, Table]]:
    """Return a chart and a table of the changes by weight and by each grade."""
    found = []
    columns = ["stones", "changed", "mean change", "mean size", "above 5%"]
    for by, members in groupby(replay.groups, lambda each: each.by):
        groups = list(members)
        bars = [
            Bar(each.name, round(each.mean_change, 6), f"{each.mean_change:+z.2%}")
            for each in groups
        ]
        rows = [
            [
                each.name,
                f"{each.stones:,}",
                f"{each.changed:.1%}",
                f"{each.mean_change:+z.2%}",
                f"{each.mean_absolute_change:.2%}",
                f"{each.large:.1%}",
            ]
            for each in groups
        ]
        chart = charts.bars(bars, "Mean change", by, minimum=-1.0)
        found.append((chart, Table([by, *columns], rows)))
    return found


def _largest(replay: Replay) -> Table:
    rows = [
        [
            f"{each.diamond.carat:g} ct {each.diamond.cut} {each.diamond.color} {each.diamond.clarity}",
            f"{each.priced_at:%Y-%m-%d %H:%M:%S}",
            each.id,
            f"{each.old:,.2f}",
            f"{each.new:,.2f}",
            f"{each.change:+z.1%}",
        ]
        for each in replay.largest
    ]
    return Table(["stone", "priced (UTC)", "id", "old, USD", "new, USD", "change"], rows, words=3)
