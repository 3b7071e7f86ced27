"""The command ``diamond``: its subcommands are imported when they are called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from diamond_app.printable import printable
from diamond_core.errors import DiamondError, NoChampion
from diamond_core.version import __version__

COMMANDS: Final = {
    "train": ("diamond_app.cli.train", "Train models and promote the best."),
    "data": ("diamond_app.cli.data", "Add deliveries of stones, list, show and release them."),
    "pipeline": (
        "diamond_app.cli.pipeline",
        "Add deliveries, train and promote, unattended; list the runs.",
    ),
    "models": ("diamond_app.cli.models", "List, show, compare, promote, copy and prune models."),
    "predict": ("diamond_app.cli.predict", "Price one stone, or files of stones."),
    "ladder": ("diamond_app.cli.ladder", "Price one stone with other grades and weights."),
    "similar": ("diamond_app.cli.similar", "Show known stones similar to one stone."),
    "grades": ("diamond_app.cli.grades", "Show the grades and the fields of a stone."),
    "serve": ("diamond_app.cli.serve", "Serve the HTTP API."),
    "requests": (
        "diamond_app.cli.requests",
        "List, show, export, replay and prune exchanges.",
    ),
    "outcomes": (
        "diamond_app.cli.outcomes",
        "Import and list the prices that were really paid.",
    ),
    "drift": (
        "diamond_app.cli.drift",
        "Compare the stones that are priced with the training data.",
    ),
    "config": ("diamond_app.cli.config", "Show each setting and where it comes from."),
    "doctor": ("diamond_app.cli.doctor", "Check the installation, the models and the data."),
}
"""Command -> (the module with its ``command``, its line in the help)."""


class LazyGroup(click.Group):
    """A group that imports a command only when it is called: help and errors are fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="diamond")
def cli() -> None:
    """Price diamonds from their carat, cut, color and clarity.

    \b
    Example:
      diamond train
      diamond predict --carat 1.1 --cut Ideal --color H --clarity SI2
      diamond serve

    Settings come from the environment or a .env file: DIAMOND_HOME (default ./diamond-home),
    DIAMOND_DATABASE_URL, DIAMOND_API_KEYS.
    """


def hint(error: DiamondError) -> str:
    """Return a hint with the command that fixes the error, or ''."""
    if not isinstance(error, NoChampion):
        return ""
    return "; run: diamond doctor" if error.problem else "; run: diamond train"


def main() -> None:
    """Run the command line; a domain error is one line on stderr and exit code 1."""
    try:
        cli()
    except DiamondError as ex:
        print(f"diamond: {printable(str(ex))}{hint(ex)}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
