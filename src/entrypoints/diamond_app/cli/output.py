"""What the commands share: the container, JSON, tables, progress."""

from __future__ import annotations

import getpass
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from diamond_app.printable import printable
from diamond_app.whole_file import whole_file

if TYPE_CHECKING:
    from rich.table import Table

    from diamond_app.container import Container
    from diamond_core import Progress

EXIT_HELD: Final = 3
"""The exit code where something waits for a person."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def _known_encoding(
    context: click.Context, option: click.Parameter, name: str | None
) -> str | None:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError):
        raise click.BadParameter(f"there is no text encoding {name!r}") from None
    return name


output_option = click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file; default is stdout.",
)

keep_formulas_option = click.option(
    "--keep-formulas",
    is_flag=True,
    help="Keep cells that a spreadsheet would calculate; by default they get an apostrophe.",
)

encoding_option = click.option(
    "--encoding",
    metavar="NAME",
    callback=_known_encoding,
    help="The encoding of CSV files that are neither UTF-8 nor have a byte order mark, such as cp1252.",
)
"""For commands that read sources of stones: pass it to ``locate_sources``."""


def container() -> Container:
    """Return the container that was passed to the command line, or a new one from the settings."""
    given: Container | None = click.get_current_context().find_root().obj
    if given is not None:
        return given
    from diamond_app.container import build_container
    from diamond_app.settings import Settings

    return build_container(Settings.load())


def user() -> str:
    """Return the user's name, for the history of promotions."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def waiting(sentence: str) -> None:
    """Say why a command waits."""
    print(printable(sentence), file=sys.stderr, flush=True)


def print_json(values: Any) -> None:
    """Print *values* as indented JSON."""
    import msgspec

    from diamond_app.responses import encode

    with whole_file(None) as stdout:
        stdout.write(msgspec.json.format(encode(values), indent=2) + b"\n")


def write_csv(
    output: Path | None, header: Sequence[str], rows: Iterable[Iterable[object]], what: str
) -> None:
    """Write a CSV to the file *output*, and say how many of *what* it has; default is stdout."""
    import csv  # only few commands need it

    count = 0
    with whole_file(output) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        write_row = csv.writer(text, lineterminator="\n").writerow
        write_row(header)
        for row in rows:
            write_row(row)
            count += 1
        text.detach()
    if output is not None:
        print(f"{count:,} {what} written to {printable(str(output))}", file=sys.stderr)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    optional: Sequence[str] = (),
    words: int | None = None,
) -> None:
    """Print *rows* as a table; numbers, or the columns after the first *words*, are right-aligned.

    On a narrow terminal, *optional* columns are left out, the first ones first.
    """
    from rich.console import Console

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 200
    unlimited = console.options.update(max_width=10_000)
    shown = list(columns)
    table = _table(title, columns, rows, shown, words)
    for name in optional:
        if console.measure(table, options=unlimited).maximum <= console.width:
            break
        shown.remove(name)
        table = _table(title, columns, rows, shown, words)
    console.print(table)
    if len(shown) < len(columns):
        left_out = ", ".join(name for name in columns if name not in shown)
        print(f"(without {left_out}: use a wider terminal, or --json)", file=sys.stderr)


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    shown: Sequence[str],
    words: int | None,
) -> Table:
    from rich.table import Table
    from rich.text import Text

    heading = Text(printable(title, keep="\n")) if title else None
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False)
    positions = [position for position, name in enumerate(columns) if name in shown]
    for position in positions:
        numeric = (
            any(isinstance(row[position], (int, float)) for row in rows)
            if words is None
            else position >= words
        )
        side: Literal["left", "right"] = "right" if numeric else "left"
        is_last = position == len(columns) - 1
        table.add_column(columns[position], justify=side, no_wrap=not is_last, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(_cell(row[position]), keep="\n")) for position in positions))
    return table


def _cell(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}"


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Progress]:
    """Show progress on stderr: a bar on a terminal, a line for each step elsewhere."""
    if quiet:
        yield lambda step, share: None
        return
    if not sys.stderr.isatty():
        yield _line_per_step()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, share: bar.update(task, description=printable(step), completed=share)


def _line_per_step() -> Callable[[str, float], None]:
    shown: set[str] = set()

    def print_once(step: str, share: float) -> None:
        if step not in shown:
            shown.add(step)
            print(printable(step), file=sys.stderr, flush=True)

    return print_once
