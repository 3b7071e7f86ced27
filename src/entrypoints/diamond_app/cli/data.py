"""The command ``diamond data``: the store of stones."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from diamond_app.cli.output import (
    EXIT_HELD,
    container,
    encoding_option,
    json_option,
    keep_formulas_option,
    output_option,
    print_json,
    print_table,
    progress_bar,
    user,
    waiting,
    write_csv,
)
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_core import Delivery

_BARS: Final = " ▁▂▃▄▅▆▇█"
_SUMMARY: Final = (
    *("id", "source", "digest", "rows", "new", "known", "corrected", "rejected"),
    *("status", "reason"),
)


@click.group("data")
def command() -> None:
    """Keep the stones to train on: add deliveries, see what came of them, release held ones.

    \b
    Examples:
      diamond data add bought/2026-11.csv
      diamond data list
      diamond data rejected 3f9a1c22b7e0 --output to-correct.csv
    """


@command.command("add")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@encoding_option
@json_option
def add(sources: tuple[str, ...], encoding: str | None, as_json: bool) -> None:
    """Add SOURCE to the store: stones with prices, as for diamond train; or: bundled, outcomes.

    The outcomes are the prices that were really paid for stones that the service priced.

    Each file is a delivery. The same rows again change nothing. A stone is known by its column id
    (or ref, or sku): a later row corrects it. Without an id it is known by its values, its price
    and its date. The column date says when a price was true; without it, that is today.

    A delivery that lacks columns, has many invalid rows, or whose prices or weights are off by a
    factor, is held: it does not train until someone releases it. The exit code is then 3.

    \b
    Examples:
      diamond data add bundled
      diamond data add outcomes
      diamond data add 'bought/2026-*.csv'
      diamond data add 'mysql://me:secret@host/shop?table=bought'
    """
    from diamond_adapters.sources.locate import locate_sources

    wired = container()
    located = locate_sources(sources, encoding, wired.outcome_source())
    with progress_bar(quiet=False) as progress:
        added = wired.add_stones()(located, progress=progress, waiting=waiting)
    if as_json:
        version = added.version
        print_json(
            {
                "deliveries": [_values(each) for each in added.deliveries],
                "version": None if version is None else version.number,
                "stones": 0 if version is None else version.stones,
            }
        )
    else:
        _print_deliveries(added.deliveries)
        if added.version is not None:
            print(f"{added.version.stones:,} stones, version {added.version.number}")
        for each in added.deliveries:
            if each.status == "held":
                print(f"held: {each.id}: {printable(each.reason)}", file=sys.stderr)
                print(f"  see: diamond data show {each.id}", file=sys.stderr)
    if any(each.status == "held" for each in added.deliveries):
        sys.exit(EXIT_HELD)


@command.command("list")
@json_option
def list_deliveries(as_json: bool) -> None:
    """List all deliveries, newest first.

    \b
    Example:
      diamond data list --json
    """
    deliveries = container().stone_store().deliveries()
    if as_json:
        print_json([_values(each) | {"at": each.at} for each in deliveries])
    else:
        _print_deliveries(deliveries)


@command.command("show")
@click.argument("id")
@json_option
def show(id: str, as_json: bool) -> None:
    """Show a delivery: its counts, the reasons for rejected rows, and how its prices compare.

    \b
    Example:
      diamond data show 3f9a1c22b7e0
    """
    from diamond_core import find_delivery, to_plain

    delivery = find_delivery(container().stone_store(), id)
    if as_json:
        print_json(to_plain(delivery))
        return
    for name, value in (
        _values(delivery) | {"arrived": f"{delivery.at:%Y-%m-%d %H:%M} UTC"}
    ).items():
        if value != "":
            print(
                printable(
                    f"{name:10} {value:,}" if isinstance(value, int) else f"{name:10} {value}"
                )
            )
    if delivery.reasons:
        print("\nrejected rows:")
        for reason, count in delivery.reasons.items():
            print(printable(f"  {count:,} x {reason}"))
    for name, level in delivery.levels.items():
        _print_level(name, level)
    if delivery.status == "held":
        print(f"\nIt does not train. To accept it: diamond data release {delivery.id}")


@command.command("rejected")
@click.argument("id")
@output_option
@keep_formulas_option
def rejected(id: str, output: Path | None, keep_formulas: bool) -> None:
    """Write the rejected rows of a delivery as a CSV, to be corrected and added again.

    The first columns are line and reasons; the others are those of the delivery.

    \b
    Example:
      diamond data rejected 3f9a1c22b7e0 --output to-correct.csv
    """
    from diamond_app.csv_cells import neutralized
    from diamond_core import find_delivery

    store = container().stone_store()
    delivery = find_delivery(store, id)
    found = []
    for rows in store.delivered(id):
        for line, cells, reasons in zip(rows.lines, rows.cells, rows.reasons, strict=True):
            if reasons:
                found.append((int(line), reasons, cells))

    def as_row(line: int, reasons: str, cells: str) -> list[object]:
        texts = ["" if each is None else str(each) for each in json.loads(cells)]
        return [line, reasons, *(texts if keep_formulas else neutralized(texts))]

    header = ["line", "reasons", *delivery.header]
    write_csv(output, header, (as_row(*each) for each in sorted(found)), "rows")


@command.command("release")
@click.argument("id")
@json_option
def release(id: str, as_json: bool) -> None:
    """Accept a held delivery: its stones train from now on.

    \b
    Example:
      diamond data release 3f9a1c22b7e0
    """
    delivery = container().add_stones().release(id, by=user(), waiting=waiting)
    if as_json:
        print_json(_values(delivery))
    else:
        _print_deliveries([delivery])


@command.command("versions")
@json_option
def versions(as_json: bool) -> None:
    """List the versions of the stones, newest first: each delivery made one.

    \b
    Example:
      diamond data versions
    """
    found = container().stone_store().versions()
    if as_json:
        print_json(
            [
                {
                    "version": each.number,
                    "at": each.at,
                    "delivery": each.delivery,
                    "stones": each.stones,
                }
                for each in found
            ]
        )
        return
    rows = [
        [each.number, f"{each.at:%Y-%m-%d %H:%M}", each.delivery, each.stones] for each in found
    ]
    print_table("", ["version", "time (UTC)", "delivery", "stones"], rows)


def _values(delivery: Delivery) -> dict[str, Any]:
    from diamond_core import to_plain

    return {name: to_plain(getattr(delivery, name)) for name in _SUMMARY}


def _print_deliveries(deliveries: Sequence[Delivery]) -> None:
    rows = [
        [
            *(each.id, f"{each.at:%Y-%m-%d %H:%M}", each.rows, each.new, each.known),
            *(each.corrected, each.rejected, each.status, each.source),
        ]
        for each in deliveries
    ]
    columns = [
        "delivery",
        "time (UTC)",
        "rows",
        "new",
        "known",
        "corrected",
        "rejected",
        "status",
        "source",
    ]
    print_table("", columns, rows, ["time (UTC)", "known", "corrected", "rows"])


def _print_level(name: str, level: dict[str, Any]) -> None:
    """Print two distributions of ratios, one above the other."""
    from diamond_core.stones.gate import EDGES

    what = (
        "prices against what the stones are worth"
        if name == "price"
        else "weights against the store's"
    )
    print(f"\n{what}: {level['level']:.3g} times")
    used = [at for at in range(len(EDGES) - 1) if level["delivered"][at] or level["stored"][at]]
    first, last = max(min(used) - 1, 0), min(max(used) + 2, len(EDGES) - 1)
    for title in ("stored", "delivered"):
        counts = level[title][first:last]
        most = max(counts) or 1
        bars = "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)
        print(f"  {title:10}|{bars}|")
    width = last - first
    print(f"  {'':10} {EDGES[first]:<{width // 2}.3g}{EDGES[last]:>{width - width // 2}.3g} times")
