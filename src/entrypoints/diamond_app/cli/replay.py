"""The commands ``diamond requests replay`` and ``diamond requests recompute``."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diamond_app.cli.model_id import model_id
from diamond_app.cli.output import container, json_option, print_json, print_table, progress_bar
from diamond_app.printable import printable
from diamond_app.whole_file import whole_file

if TYPE_CHECKING:
    from datetime import datetime

    from diamond_core import RecomputedExchange, Replay

_SHOWN = 20


@click.command("replay")
@click.option("--model", required=True, metavar="ID", help="The model to try, or 'champion'.")
@click.option(
    "--against",
    metavar="ID",
    help="Compare with this model, or 'champion'; default is what was answered.",
)
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="TIME",
    help="Requests since this time (ISO 8601, UTC without a zone), or this age: 2h, 3d.",
)
@click.option("--until", metavar="TIME", help="Requests before this time, or older than this age.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write a report with charts to this file: one HTML page that works offline.",
)
@json_option
def replay(
    model: str,
    against: str | None,
    since: str,
    until: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Show what a model would have answered to the recorded requests.

    It shows how many prices change and by how much, by weight and grade, the twenty largest
    changes, the price ranges, and, where paid prices are known, the errors of both. Nothing is
    recorded or promoted.

    \b
    Examples:
      diamond requests replay --model linear-20261127-215313-a78d66 --since 7d
      diamond requests replay --model linear-20261127-215313-a78d66 --against champion --json
      diamond requests replay --model linear-20261127-215313-a78d66 --report replay.html
    """
    from diamond_core.codec import to_plain

    wired = container()
    now = wired.clock()()
    start = _time("since", since, now)
    end = None if until is None else _time("until", until, now)
    if start >= (end or now):
        raise click.BadParameter("must be before the end of the period", param_hint="--since")
    history = wired.history()
    with ExitStack() as stack:
        file = stack.enter_context(whole_file(report)) if report else None
        progress = stack.enter_context(progress_bar(quiet=as_json))
        found = wired.replay_requests()(
            model_id(history, model),
            against=None if against is None else model_id(history, against),
            since=start,
            until=end,
            progress=progress,
        )
        if file is not None:
            from diamond_adapters.report.replay import write_replay_report

            file.write(write_replay_report(found))
    if report is not None:
        print(f"The report was written to {printable(str(report))}", file=sys.stderr)
    if as_json:
        print_json(to_plain(found))
    elif not found.stones:
        before = "" if end is None else f" and before {end:%Y-%m-%d %H:%M:%S} UTC"
        print(f"No stones were priced since {start:%Y-%m-%d %H:%M:%S} UTC{before}.")
    else:
        _print(found)


@click.command("recompute")
@click.argument("id")
@json_option
def recompute(id: str, as_json: bool) -> None:
    """Compute the prices of a recorded exchange again, with the model that priced it.

    ID is the id of an exchange or of a prediction, also of one stone in a batch, or an
    X-Request-ID. The same model gives the same price, to the cent; exits with 1 if one differs.

    \b
    Example:
      diamond requests recompute 18ec058bb23e18b904ef4c6a08824aa8
    """
    from diamond_core.codec import to_plain

    found = container().recompute_exchange()(id)
    if as_json:
        print_json(to_plain(found))
    else:
        _print_recomputed(found)
    if not found.same:
        sys.exit(1)


def _time(name: str, text: str, now: datetime) -> datetime:
    from diamond_app.exchange_filters import parse_time

    try:
        return parse_time(text, now)
    except ValueError as ex:
        raise click.BadParameter(str(ex), param_hint=f"--{name}") from ex


def _print(found: Replay) -> None:
    from diamond_adapters.report.replay import group_tables, largest_table

    old = found.against or "the recorded answers"
    print(f"{found.model} against {old}, {found.exchanges:,} requests of {found.stones:,} stones\n")
    print(
        f"Prices that change: {found.changed:,} ({found.changed / found.stones:.1%});"
        f" by more than 5 %: {found.large:,} ({found.large / found.stones:.1%})"
    )
    print(
        f"Mean change: {found.mean_change:+z.2%}; mean size of a change:"
        f" {found.mean_absolute_change:.2%}"
    )
    if ranges := found.ranges:
        print(
            f"Mean width of the price ranges: {ranges.new:.1%} of the price, was {ranges.old:.1%};"
            f" narrower for {ranges.narrower:.1%} of the stones, wider for {ranges.wider:.1%}"
        )
    if errors := found.errors:
        significant = "" if errors.is_significant else "; not more than noise"
        print(
            f"MAE on the {errors.outcomes:,} stones with a known price: {errors.new_mae:,.2f} USD,"
            f" was {errors.old_mae:,.2f} (difference {errors.difference:+,.2f},"
            f" 95 %: {errors.low:+,.2f} to {errors.high:+,.2f}{significant});"
            f" bias {errors.new_bias:+,.2f}, was {errors.old_bias:+,.2f}"
        )
    for table in (*group_tables(found), *([largest_table(found)] if found.largest else [])):
        print()
        print_table("", table.columns, table.rows, words=table.words)


def _print_recomputed(found: RecomputedExchange) -> None:
    from diamond_adapters.report.replay import named

    same = sum(each.same for each in found.stones)
    print(
        f"{same:,} of {len(found.stones):,} prices of {found.occurred_at:%Y-%m-%d %H:%M:%S} UTC are"
        f" the same, computed again with {found.model}\n"
    )
    shown = sorted(found.stones, key=lambda each: each.same)[:_SHOWN]
    rows: list[list[object]] = [
        [
            named(each.diamond),
            each.recorded.price,
            each.recomputed.price,
            "yes" if each.same else "no",
            ", ".join(each.assumed),
            ", ".join(each.outside),
        ]
        for each in shown
    ]
    columns = ["stone", "recorded $", "recomputed $", "same", "assumed", "outside training range"]
    print_table("", columns, rows)
    if len(shown) < len(found.stones):
        print(f"... and {len(found.stones) - len(shown):,} more; --json has all")
