"""What the commands share: the container, JSON, tables, progress."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from diamond_app.container import Container
    from diamond_core import Progress

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


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


def print_json(values: Any) -> None:
    """Print *values* as indented JSON."""
    import msgspec

    from diamond_app.responses import encode

    sys.stdout.buffer.write(msgspec.json.format(encode(values), indent=2) + b"\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print *rows* as a table; numbers are right-aligned."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for position, name in enumerate(columns):
        numeric = any(isinstance(row[position], (int, float)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, str) else _number(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def _number(cell: object) -> str:
    if cell is None:
        return "-"
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

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=share)


def _line_per_step() -> Callable[[str, float], None]:
    shown: set[str] = set()

    def print_once(step: str, share: float) -> None:
        if step not in shown:
            shown.add(step)
            print(step, file=sys.stderr, flush=True)

    return print_once
