"""The options that describe a stone, shared by the commands that take one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diamond_core.stones.fields import FIELDS, REQUIRED, GradeField

if TYPE_CHECKING:
    from diamond_core import Diamond

Command = TypeVar("Command", bound=Callable[..., Any])


def stone_options(command: Command, names: Sequence[str] = tuple(FIELDS)) -> Command:
    """Add an option for each of the fields *names* of a diamond; all of them are given as text."""
    for field in [FIELDS[name] for name in reversed(names)]:
        help = f"{field.about} {field.expected[0].upper()}{field.expected[1:]}."
        if isinstance(field, GradeField):
            help = f"{field.about} {', '.join(field.grades)}."
        command = click.option(f"--{field.name}", metavar="VALUE", help=help)(command)
    return command


def brief_stone(_: click.Context, __: click.Parameter, text: str | None) -> Diamond | None:
    """Return the stone of an option's text: weight, cut, color, clarity: ``1.0 Very Good H SI2``.

    Raises:
        BadParameter: it describes no stone.
    """
    from diamond_core import InvalidDiamond

    if text is None:
        return None
    words = text.replace(", ", " ").split()
    if len(words) < len(REQUIRED):
        raise click.BadParameter("give weight, cut, color and clarity, such as '1.0 Good H SI2'")
    carat, *cut, color, clarity = words
    try:
        return stone({"carat": carat, "cut": " ".join(cut), "color": color, "clarity": clarity})
    except InvalidDiamond as ex:
        raise click.BadParameter(str(ex)) from ex


def stone(values: dict[str, str | None]) -> Diamond:
    """Return the stone that the options describe.

    Raises:
        InvalidDiamond: names every invalid option.
    """
    from diamond_core import Diamond

    given = {name: value for name, value in values.items() if value is not None}
    return Diamond.parse(given, text=True)
