"""The command ``diamond outcomes``."""

from __future__ import annotations

import sys
from collections import deque
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
    from collections.abc import Iterator

    from diamond_core import OutcomeReport

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
    named, and the exit code is then 1; the other rows are kept. If the file or the database can't be
    read to the end, what was imported before is kept: import the file again.

    \b
    Example:
      diamond outcomes import paid.csv
    """
    from diamond_adapters.sources.locate import locate_sources
    from diamond_app.outcome_files import OUTCOMES, OutcomeRow, read_outcomes
    from diamond_core import DiamondError

    located = locate_sources([file], encoding, expected=OUTCOMES)
    if len(located) > 1:
        raise click.UsageError(f"{file} are {len(located)} files: import each alone")
    wired = container()
    kept = corrected = known = 0
    refused: list[tuple[int, str, str]] = []
    pending: deque[OutcomeRow] = deque()
    stopped: DiamondError | None = None

    def reports() -> Iterator[OutcomeReport]:
        for row in read_outcomes(located[0], wired.clock()().date()):
            if row.report is None:
                refused.append((row.line, row.id, row.problem))
            else:
                pending.append(row)
                yield row.report

    with progress_bar(quiet=as_json) as progress:
        progress("importing the outcomes", 0.0)
        results = wired.report_outcomes().many(reports(), by=user(), admin=True)
        try:
            for result in results:
                row = pending.popleft()
                if isinstance(result, DiamondError):
                    refused.append((row.line, row.id, str(result)))
                elif not result.is_new:
                    known += 1
                elif result.outcome.number == 1:
                    kept += 1
                else:
                    corrected += 1
        except DiamondError as ex:  # the rows before are kept
            if not kept + corrected + known + len(refused):
                raise
            stopped = ex
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
            named_id = f"{printable(id)}: " if id else ""
            print(f"line {line}: {named_id}{printable(reason)}", file=sys.stderr)
        if len(refused) > _SHOWN:
            print(f"and {len(refused) - _SHOWN:,} more: use --json", file=sys.stderr)
    if stopped is not None:
        raise stopped
    if refused:
        sys.exit(1)


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
