"""The option ``--tag``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click


def tag_option(help: str) -> Callable[[Any], Any]:
    """Return the option, which can be repeated; the command gets a mapping."""
    return click.option(
        "--tag", "tags", multiple=True, metavar="KEY=VALUE", callback=_tags, help=help
    )


def _tags(_: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for each in given:
        key, sign, value = (part.strip() for part in each.partition("="))
        if not (key and sign and value):
            raise click.BadParameter(f"{each!r} is not KEY=VALUE, such as ticket=417")
        if key in tags:
            raise click.BadParameter(f"{key!r} is given twice")
        tags[key] = value
    return tags
