"""The command ``diamond ladder``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diamond_app.cli.output import container, json_option, print_json, print_table
from diamond_app.cli.stone_options import stone, stone_options

if TYPE_CHECKING:
    from diamond_core import Step


@click.command("ladder")
@stone_options
@json_option
def command(as_json: bool, **values: str | None) -> None:
    """Show what a stone would cost one grade up or down, and at the neighbouring trade weights.

    \b
    Example:
      diamond ladder --carat 1.1 --cut Ideal --color H --clarity SI2
    """
    from diamond_app.ladder_responses import Ladder

    diamond = stone(values)
    wired = container()
    wired.champion_follower().refresh()
    found = wired.price_ladder()(diamond)
    if as_json:
        print_json(Ladder.of(found))
        return
    steps = [
        step for each in found.grades.values() for step in (each.up, each.down) if step is not None
    ]
    print(f"${found.price:,.2f}, from ${found.low:,.2f} to ${found.high:,.2f}")
    columns = ["", "price, USD", "difference", "%", "low", "high"]
    print_table("", columns, list(map(_cells, steps)), words=1)
    rows = [
        [*_cells(each), f"{each.jump:+,.2f}", f"{each.jump_share:+.1%}"] for each in found.weights
    ]
    if rows:
        print_table("", [*columns, "jump", "jump %"], rows, optional=("low", "high"), words=1)
        print("A jump is what the last 0.01 ct adds to the price.")


def _cells(step: Step) -> list[str]:
    value = f"{step.value:.2f} ct" if isinstance(step.value, float) else step.value
    return [
        value if step.field == "carat" else f"{step.field} {value}",
        f"{step.price:,.2f}",
        f"{step.difference:+,.2f}",
        f"{step.difference_share:+.1%}",
        f"{step.low:,.2f}",
        f"{step.high:,.2f}",
    ]
