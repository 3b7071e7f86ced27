"""The command ``diamond outcomes``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from diamond_app.cli.output import (
    container,
    encoding_option,
    json_option,
    print_json,
    print_table,
    progress_bar,
    user,
)
from diamond_app.printable import printable

if TYPE_CHECKING:
    from datetime import date

    from diamond_core import DiamondError, OutcomeReport, RawStones

_COLUMNS: Final = {
    "id": ("id", "prediction", "prediction_id"),
    "price_paid": ("price_paid", "paid", "price"),
    "date": ("date", "paid_on"),
    "note": ("note",),
}
"""What a file of outcomes can have -> the names of its column."""
_SHOWN: Final = 20


@click.group("outcomes")
def command() -> None:
    """Keep the prices that were really paid for stones that the service priced.

    \b
    Examples:
      diamond outcomes import paid.csv
      diamond outcomes list
      diamond models live
      diamond data add outcomes
    """


@command.command("import")
@click.argument("file")
@encoding_option
@json_option
def import_outcomes(file: str, encoding: str | None, as_json: bool) -> None:
    """Import FILE: a CSV, Excel or Parquet file with the columns id and price_paid.

    The id is that of a prediction, also of one stone in a batch. The columns date (the day it was
    paid; else today, in UTC) and note are optional; other columns are ignored. A later outcome corrects an
    earlier one, and both are kept; the same file again changes nothing. A row that can't be used is
    named, and the exit code is then 1; the other rows are kept.

    \b
    Example:
      diamond outcomes import paid.csv
    """
    from diamond_adapters.sources.locate import locate_sources
    from diamond_core import DiamondError

    wired = container()
    kept = corrected = known = 0
    refused: list[tuple[int, str, str]] = []
    (source,) = locate_sources([file], encoding)
    report_outcomes = wired.report_outcomes()
    lines: list[int] = []
    reports: list[OutcomeReport] = []
    with progress_bar(quiet=as_json) as progress:
        progress("reading the file", 0.0)
        for raw in source.read():
            for line, id, read in _reports(raw, wired.clock()().date()):
                if isinstance(read, DiamondError):
                    refused.append((line, id, str(read)))
                else:
                    lines.append(line)
                    reports.append(read)
        progress("importing the outcomes", 0.5)
        results = report_outcomes.many(reports, by=user(), admin=True)
    for line, report, result in zip(lines, reports, results, strict=True):
        if isinstance(result, DiamondError):
            refused.append((line, report.id, str(result)))
        elif not result.is_new:
            known += 1
        elif result.outcome.number == 1:
            kept += 1
        else:
            corrected += 1
    refused.sort()
    if as_json:
        named = [{"line": line, "id": id, "reason": reason} for line, id, reason in refused]
        counts = {"kept": kept, "corrected": corrected, "known": known}
        print_json({**counts, "refused": named})
    else:
        print(
            f"{kept:,} kept, {corrected:,} corrected, {known:,} known before,"
            f" {len(refused):,} refused"
        )
        for line, id, reason in refused[:_SHOWN]:
            print(f"line {line}: {printable(id)}: {printable(reason)}", file=sys.stderr)
        if len(refused) > _SHOWN:
            print(f"and {len(refused) - _SHOWN:,} more: use --json", file=sys.stderr)
    if refused:
        sys.exit(1)


def _reports(
    raw: RawStones, today: date
) -> Iterator[tuple[int, str, OutcomeReport | DiamondError]]:
    """Yield for each row its line, its id, and its report or what is wrong with it."""
    from diamond_core import PRICE, DiamondError, OutcomeReport, SourceUnreadable
    from diamond_core.stones.notation import Notation

    places = _places(raw)
    if missing := [name for name in ("id", "price_paid") if name not in places]:
        header = ", ".join(raw.header)
        raise SourceUnreadable(
            raw.source, f"it lacks the column {missing[0]}; its columns are {header}"
        )
    malformed = {row.line: "; ".join(row.reasons) for row in raw.malformed}
    rows = [(line, cells) for line, cells in raw.delivered if line not in malformed]
    notation = Notation({PRICE.name: [cells[places["price_paid"]] for _, cells in rows]})
    for line, reason in malformed.items():
        yield line, "", SourceUnreadable(f"line {line}", reason)
    for line, cells in rows:
        values = {name: cells[at] for name, at in places.items()}
        id = str(values.pop("id")).strip().lower()
        price = notation.read(PRICE, values["price_paid"])
        if price is not None:
            values["price_paid"] = price
        try:
            yield line, id, OutcomeReport.parse(id, values, today, text=True)
        except DiamondError as ex:
            yield line, id, ex


def _places(raw: RawStones) -> dict[str, int]:
    """Return where the known columns are."""
    from diamond_core import SourceUnreadable

    names = [str(name).strip().casefold().replace(" ", "_") for name in raw.header]
    found = {}
    for name, spellings in _COLUMNS.items():
        places = [at for at, each in enumerate(names) if each in spellings]
        if len(places) > 1:
            several = " and ".join(str(raw.header[at]) for at in places)
            raise SourceUnreadable(raw.source, f"{several} are columns of the same: keep one")
        if places:
            found[name] = places[0]
    return found


@command.command("list")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True)
@json_option
def list_outcomes(limit: int, as_json: bool) -> None:
    """List outcomes, those first that were reported last; corrected ones too.

    \b
    Example:
      diamond outcomes list -n 100 --json
    """
    from diamond_app.outcome_responses import Outcome

    found = container().outcome_log().newest(limit)
    if as_json:
        print_json([Outcome.of(each) for each in found])
        return
    if not found:
        print("There is no outcome yet; see: diamond outcomes import --help")
        return
    rows: list[list[object]] = [
        [
            f"{each.reported_at:%m-%d %H:%M:%S}",
            each.id,
            str(each.number),
            each.paid_on.isoformat(),
            each.price_paid,
            each.predicted,
            each.error,
            "yes" if each.in_range else "no",
            each.model_id,
            each.key_name,
            each.note[:60],
        ]
        for each in found
    ]
    columns = ["reported (UTC)", "prediction", "#", "paid on", "paid $", "predicted $", "error $"]
    columns += ["in range", "model", "by", "note"]
    print_table("", columns, rows, ["model", "reported (UTC)", "by", "note", "in range", "#"])
