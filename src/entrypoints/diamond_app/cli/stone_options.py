"""The options that describe a stone, shared by the commands that take one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from diamond_core.diamond import Diamond

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = {
    "carat": "Weight in carats.",
    "cut": "Fair, Good, Very Good, Premium or Ideal.",
    "color": "From J (some tint) to D (colourless).",
    "clarity": "I1, SI2, SI1, VS2, VS1, VVS2, VVS1 or IF.",
    "depth": "Total depth in percent of the mean diameter.",
    "table": "Width of the top facet in percent of the mean diameter.",
    "x": "Length in mm.",
    "y": "Width in mm.",
    "z": "Height in mm.",
}


def stone_options(command: Command) -> Command:
    """Add an option for each field of a diamond; all of them are given as text."""
    for name in reversed(_OPTIONS):
        command = click.option(f"--{name}", metavar="VALUE", help=_OPTIONS[name])(command)
    return command


def stone(values: dict[str, str | None]) -> Diamond:
    """Return the stone that the options describe.

    Raises:
        InvalidDiamond: names every option that is wrong.
    """
    from diamond_core.diamond import Diamond

    given = {name: value for name, value in values.items() if value is not None}
    return Diamond.parse(given, numbers_as_text=True)
