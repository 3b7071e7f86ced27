"""What the commands that train or compare models share: options, and the stones they use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from diamond_app.container import Container
    from diamond_core import StoneSource, StoneStore

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--family",
        "families",
        multiple=True,
        metavar="NAME",
        help="Train only this family; can be repeated.",
    ),
    click.option(
        "--trials",
        type=click.IntRange(min=0),
        help="Maximum number of trials in the parameter search; 0: use the default parameters.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=0,
        show_default=True,
        help="Random seed; makes a run repeatable.",
    ),
)


def training_options(command: Command) -> Command:
    """Add the options ``families``, ``trials`` and ``seed``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def stones_to_use(
    wired: Container, sources: Sequence[str], encoding: str | None
) -> Sequence[StoneSource] | StoneStore:
    """Return the *sources*; without any, the store if it has stones, or else the bundled ones."""
    from diamond_adapters.sources.locate import locate_sources

    located = locate_sources(sources, encoding)
    if not sources and wired.stone_store().version() is not None:
        return wired.stone_store()
    return located
