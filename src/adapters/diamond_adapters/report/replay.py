"""The report of a replay: its tables, and one self-contained page."""

from __future__ import annotations

from itertools import groupby

from diamond_adapters.report import charts
from diamond_adapters.report.charts import Bar, Table
from diamond_adapters.report.page import rendered
from diamond_core import ChangedGroup, Diamond, Replay


def write_replay_report(replay: Replay) -> bytes:
    """Return the page as UTF-8; it loads no other files."""
    bars = [
        [Bar(each.name, round(each.mean_change, 6), f"{each.mean_change:+z.2%}") for each in groups]
        for _, groups in groupby(replay.groups, _by)
    ]
    return rendered(
        "replay.html",
        replay=replay,
        histogram=charts.changes(replay.histogram) if replay.histogram else None,
        groups=[
            (charts.bars(rows, "Mean change", table.columns[0], minimum=-1.0), table)
            for rows, table in zip(bars, group_tables(replay), strict=True)
        ],
        largest=largest_table(replay),
    )


def group_tables(replay: Replay) -> list[Table]:
    """Return a table of the changes by weight, and one by each graded field."""
    columns = ["stones", "changed", "mean change", "mean size", "above 5%"]
    return [
        Table([by, *columns], [_row(each) for each in groups])
        for by, groups in groupby(replay.groups, _by)
    ]


def largest_table(replay: Replay) -> Table:
    """Return a table of the largest changes."""
    rows = [
        [
            named(each.diamond),
            f"{each.priced_at:%Y-%m-%d %H:%M:%S}",
            each.id,
            f"{each.old:,.2f}",
            f"{each.new:,.2f}",
            f"{each.change:+.1%}",
        ]
        for each in replay.largest
    ]
    return Table(["stone", "priced (UTC)", "id", "old, USD", "new, USD", "change"], rows, words=3)


def named(stone: Diamond) -> str:
    """Return the four Cs of a stone."""
    return f"{stone.carat:g} ct {stone.cut} {stone.color} {stone.clarity}"


def _by(group: ChangedGroup) -> str:
    return group.by


def _row(group: ChangedGroup) -> list[str]:
    return [
        group.name,
        f"{group.stones:,}",
        f"{group.changed / group.stones:.1%}",
        f"{group.mean_change:+z.2%}",
        f"{group.mean_absolute_change:.2%}",
        f"{group.large / group.stones:.1%}",
    ]
